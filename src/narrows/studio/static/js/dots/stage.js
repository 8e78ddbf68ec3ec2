/**
 * A canvas with a splat on it: takes changes as plain messages and paints once a frame while something changes.
 *
 * The same file runs in the page and in a worker, so it imports nothing: the splat is given to it.
 */

/**
 * @typedef {Partial<{
 *   size: [number, number], xy: Float32Array, place: import("./splat.js").Place, glide: number,
 *   kinds: Uint8Array, styles: import("./splat.js").Style[], shown: Uint8Array, marked: Uint8Array | null,
 *   thumbs: import("./splat.js").Thumbs | null, paper: number[], clear: boolean, radius: number, opacity: number,
 * }>} Change
 *   What may change; `glide` is how long new points take to their places, in milliseconds.
 */

export class Stage {
  /**
   * @param {HTMLCanvasElement | OffscreenCanvas} canvas
   * @param {import("./splat.js").Splat} splat
   * @param {(ms: number) => void} painted Told what a painting cost.
   * @param {(task: () => void) => void} ask Does a task in the next frame.
   */
  constructor(canvas, splat, painted, ask) {
    this.canvas = canvas;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.painted = painted;
    this.ask = ask;
    this.splat = splat;
    /** @type {ImageData | null} */
    this.picture = null;
    /** The size that the next painting takes: a canvas of a new size is empty until it is painted. */
    this.size = [0, 0];
    this.began = 0;
    this.glide = 0;
    this.asked = false;
    this.frame = this.frame.bind(this);
  }

  /** @param {Change} change */
  change({ size, xy, place, glide = 0, kinds, styles, ...plain }) {
    Object.assign(this.splat, plain);
    if (size) this.size = size;
    if (kinds && styles) this.splat.dress(kinds, styles);
    if (xy && place) this.depart(xy, place, glide);
    else if (place) this.splat.look(place);
    if (!this.asked) {
      this.asked = true;
      this.ask(this.frame);
    }
  }

  /** @param {Float32Array} xy @param {import("./splat.js").Place} place @param {number} glide */
  depart(xy, place, glide) {
    this.splat.move(xy, place);
    this.began = performance.now();
    this.glide = glide;
  }

  /** The picture to paint into, of the size asked for. */
  sized() {
    const [width, height] = this.size;
    if (width && height && (this.picture?.width !== width || this.picture.height !== height)) {
      Object.assign(this.canvas, { width, height });
      this.picture = this.pen.createImageData(width, height);
    }
    return this.picture;
  }

  frame() {
    this.asked = false;
    const now = performance.now();
    const { splat } = this;
    const picture = this.sized();
    splat.share = this.glide ? Math.min(1, (now - this.began) / this.glide) : 1;
    if (!picture) return;
    splat.paint(new Int32Array(picture.data.buffer), picture.width, picture.height);
    this.pen.putImageData(picture, 0, 0);
    this.painted(performance.now() - now);
    if (splat.share < 1) this.change({});
  }
}
