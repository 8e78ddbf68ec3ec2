/** Points sorted into square cells by counting, so that what lies near a place is found at once. */

const PER_CELL = 4;
const MOST_SIDE = 512;

export class Grid {
  /**
   * @param {Float32Array} xy x0, y0, x1, y1 ...
   * @param {number} count How many of them.
   */
  constructor(xy, count) {
    this.xy = xy;
    this.count = count;
    /** Corner of the first cell, and the size of a cell. */
    this.x0 = this.y0 = 0;
    this.wide = this.high = 1;
    this.side = Math.max(1, Math.min(MOST_SIDE, Math.round(Math.sqrt(count / PER_CELL))));
    this.measure();
    this.sort();
  }

  measure() {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < 2 * this.count; i += 2) {
      const x = this.xy[i];
      const y = this.xy[i + 1];
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    Object.assign(this, { x0, y0, wide: (x1 - x0) / this.side || 1, high: (y1 - y0) / this.side || 1 });
  }

  /** Which column or row a place falls in. */
  column(x) {
    return Math.max(0, Math.min(this.side - 1, Math.floor((x - this.x0) / this.wide)));
  }

  row(y) {
    return Math.max(0, Math.min(this.side - 1, Math.floor((y - this.y0) / this.high)));
  }

  sort() {
    const { xy, count, side } = this;
    const cells = new Uint32Array(count);
    /** Where the points of each cell begin in `sorted`. */
    this.starts = new Uint32Array(side * side + 1);
    for (let i = 0; i < count; i += 1) {
      cells[i] = this.row(xy[2 * i + 1]) * side + this.column(xy[2 * i]);
      this.starts[cells[i] + 1] += 1;
    }
    for (let cell = 0; cell < side * side; cell += 1) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.sorted = new Uint32Array(count);
    for (let i = 0; i < count; i += 1) this.sorted[next[cells[i]]++] = i;
  }

  /**
   * Call `visit` with each point of the cells that a rectangle touches.
   * @param {(i: number) => void} visit
   */
  within(x0, y0, x1, y1, visit) {
    const right = this.column(x1);
    const top = this.row(y1);
    for (let row = this.row(y0); row <= top; row += 1) {
      const first = this.starts[row * this.side + this.column(x0)];
      const end = this.starts[row * this.side + right + 1];
      for (let n = first; n < end; n += 1) visit(this.sorted[n]);
    }
  }

  /**
   * The nearest point, or -1.
   * @param {number} x
   * @param {number} y
   * @param {number} reach Farthest, in units of the screen.
   * @param {number} sx Units of the screen for one of x.
   * @param {number} sy
   * @param {(i: number) => boolean} [taken] Which points count.
   */
  nearest(x, y, reach, sx, sy, taken = () => true) {
    let best = reach * reach;
    let found = -1;
    this.within(x - reach / sx, y - reach / sy, x + reach / sx, y + reach / sy, (i) => {
      const across = (this.xy[2 * i] - x) * sx;
      const up = (this.xy[2 * i + 1] - y) * sy;
      const far = across * across + up * up;
      if (far <= best && taken(i)) {
        best = far;
        found = i;
      }
    });
    return found;
  }
}

/**
 * Whether a place lies inside a closed line.
 * @param {number} x @param {number} y
 * @param {number[]} line x0, y0, x1, y1 ...
 */
export function inside(x, y, line) {
  let is = false;
  for (let i = 0, j = line.length - 2; i < line.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [line[i], line[i + 1], line[j], line[j + 1]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) is = !is;
  }
  return is;
}
