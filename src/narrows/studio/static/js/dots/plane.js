/**
 * From a place on the map to a code and back.
 *
 * A code of two is the plane itself; of one, a line of it. For more numbers the map shows two directions of many: how
 * places hang on codes is found from codes and places that are known (least squares; exact for a PCA), and a drag
 * moves the code it began with along these directions. Where places are no linear map of codes (t-SNE), a place stands
 * for the mean of the codes around it.
 */

const RIDGE = 1e-6;
const AROUND = 6;

/** @typedef {{x: number, y: number}} At A place of the plane. */
/** @typedef {{count: number, size: number, values: Float32Array}} Codes (count, size), row by row. */

/** Two numbers: the code is the place. */
export const direct = {
  exact: true,
  /** @param {At} at */
  codeAt: ({ x, y }) => Float32Array.of(x, y),
  /** @param {ArrayLike<number>} code @returns {At} */
  placeOf: (code) => ({ x: code[0], y: code[1] }),
};

/** One number: its place is on a line, the height says nothing. */
export const along = {
  exact: true,
  /** @param {At} at */
  codeAt: ({ x }) => Float32Array.of(x),
  /** @param {ArrayLike<number>} code @returns {At} */
  placeOf: (code) => ({ x: code[0], y: 0 }),
};

/**
 * The first two numbers of a longer code; the others keep what they are.
 * @param {() => ArrayLike<number>} held The code one holds.
 */
export const firstTwo = (held) => ({
  exact: true,
  codeAt: ({ x, y }) => Float32Array.from(held(), (value, i) => (i === 0 ? x : i === 1 ? y : value)),
  placeOf: (code) => ({ x: code[0], y: code[1] }),
});

/**
 * Two directions of many, as found from codes and where they lie.
 * @param {Codes} codes
 * @param {Float32Array} xy Places of the same objects.
 * @param {() => ArrayLike<number>} held The code that a drag began with.
 */
export function directions(codes, xy, held) {
  const { size } = codes;
  const centre = meanOf(codes);
  const [across, up] = slopes(codes, centre, xy);
  const middle = placeMean(xy, codes.count);
  const placeOf = (code) => {
    let [x, y] = [middle.x, middle.y];
    for (let d = 0; d < size; d += 1) {
      x += across[d] * (code[d] - centre[d]);
      y += up[d] * (code[d] - centre[d]);
    }
    return { x, y };
  };
  // The smallest step of the code that moves its place as asked: A'(AA')^-1.
  const [aa, ab, bb] = [dot(across, across), dot(across, up), dot(up, up)];
  const whole = aa * bb - ab * ab || 1;
  const codeAt = ({ x, y }) => {
    const from = held();
    const here = placeOf(from);
    const [dx, dy] = [x - here.x, y - here.y];
    const a = (bb * dx - ab * dy) / whole;
    const b = (aa * dy - ab * dx) / whole;
    return Float32Array.from({ length: size }, (_, d) => from[d] + a * across[d] + b * up[d]);
  };
  return { exact: true, codeAt, placeOf };
}

/**
 * Places that hang on codes by neighbourhood alone.
 * @param {Codes} codes @param {Float32Array} xy
 */
export function neighbourly(codes, xy) {
  const { count, size, values } = codes;
  const codeAt = ({ x, y }) => {
    const near = smallest(count, AROUND, (i) => (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2);
    return weighted(near, size, (i, d) => values[i * size + d]);
  };
  const placeOf = (code) => {
    const near = smallest(count, AROUND, (i) => distance(values, i * size, code, size));
    const [x, y] = weighted(near, 2, (i, d) => xy[2 * i + d]);
    return { x, y };
  };
  return { exact: false, codeAt, placeOf };
}

/**
 * The objects whose codes are nearest to a code, nearest first.
 * @param {Codes} codes @param {ArrayLike<number>} code @param {number} wanted
 * @returns {{id: number, far: number}[]}
 */
export const nearestTo = ({ count, size, values }, code, wanted) =>
  smallest(count, wanted, (i) => distance(values, i * size, code, size));

/** Squared distance of a row to a code. */
function distance(values, at, code, size) {
  let sum = 0;
  for (let d = 0; d < size; d += 1) sum += (values[at + d] - code[d]) ** 2;
  return sum;
}

/** The `wanted` smallest of a measure over 0..count, smallest first. */
function smallest(count, wanted, measure) {
  /** @type {{id: number, far: number}[]} */
  const best = [];
  for (let id = 0; id < count; id += 1) {
    const far = measure(id);
    if (best.length === wanted && far >= best[wanted - 1].far) continue;
    let at = best.length;
    while (at > 0 && best[at - 1].far > far) at -= 1;
    best.splice(at, 0, { id, far });
    if (best.length > wanted) best.pop();
  }
  return best;
}

/** The mean of some rows, near ones heavier. */
function weighted(near, size, read) {
  const widest = near.at(-1)?.far || 1;
  const weights = near.map(({ far }) => 1 / (far / widest + 0.02));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float32Array.from({ length: size }, (_, d) => near.reduce((sum, { id }, n) => sum + read(id, d) * weights[n], 0) / total);
}

function meanOf({ count, size, values }) {
  const mean = new Float64Array(size);
  for (let i = 0; i < count; i += 1) for (let d = 0; d < size; d += 1) mean[d] += values[i * size + d] / count;
  return mean;
}

function placeMean(xy, count) {
  let [x, y] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    x += xy[2 * i] / count;
    y += xy[2 * i + 1] / count;
  }
  return { x, y };
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/**
 * How x and y change with each number of the code: ridge least squares, in whichever of the two forms is smaller.
 * @returns {[Float64Array, Float64Array]}
 */
function slopes({ count, size, values }, centre, xy) {
  const middle = placeMean(xy, count);
  const row = (i, d) => values[i * size + d] - centre[d];
  const side = Math.min(count, size);
  const small = size <= count;
  const gram = new Float64Array(side * side);
  for (let a = 0; a < side; a += 1) {
    for (let b = a; b < side; b += 1) {
      let sum = 0;
      if (small) for (let i = 0; i < count; i += 1) sum += row(i, a) * row(i, b);
      else for (let d = 0; d < size; d += 1) sum += row(a, d) * row(b, d);
      gram[a * side + b] = gram[b * side + a] = sum;
    }
  }
  let trace = 0;
  for (let a = 0; a < side; a += 1) trace += gram[a * side + a];
  for (let a = 0; a < side; a += 1) gram[a * side + a] += (RIDGE * trace) / side || 1;
  const right = [0, 1].map((axis) => {
    const place = (i) => xy[2 * i + axis] - (axis ? middle.y : middle.x);
    if (!small) return Float64Array.from({ length: side }, (_, i) => place(i));
    return Float64Array.from({ length: side }, (_, d) => {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum += row(i, d) * place(i);
      return sum;
    });
  });
  const found = solved(gram, side, right);
  if (small) return /** @type {[Float64Array, Float64Array]} */ (found);
  return /** @type {[Float64Array, Float64Array]} */ (
    found.map((weights) => Float64Array.from({ length: size }, (_, d) => weights.reduce((sum, weight, i) => sum + weight * row(i, d), 0)))
  );
}

/**
 * Solve a symmetric positive system for several right sides, by Cholesky's factors.
 * @param {Float64Array} matrix (n, n), overwritten. @param {number} n @param {Float64Array[]} rights
 */
function solved(matrix, n, rights) {
  for (let j = 0; j < n; j += 1) {
    for (let i = j; i < n; i += 1) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k += 1) sum -= matrix[i * n + k] * matrix[j * n + k];
      matrix[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / matrix[j * n + j];
    }
  }
  return rights.map((right) => {
    const x = right.slice();
    for (let i = 0; i < n; i += 1) {
      for (let k = 0; k < i; k += 1) x[i] -= matrix[i * n + k] * x[k];
      x[i] /= matrix[i * n + i];
    }
    for (let i = n - 1; i >= 0; i -= 1) {
      for (let k = i + 1; k < n; k += 1) x[i] -= matrix[k * n + i] * x[k];
      x[i] /= matrix[i * n + i];
    }
    return x;
  });
}
