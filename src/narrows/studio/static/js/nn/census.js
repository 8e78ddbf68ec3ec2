/** What many objects make of a model, counted a little in every frame so that nothing stutters. */

import { onFrame } from "narrows/page/beat";

const SLICE_MS = 3;

/**
 * @typedef {{low: Float32Array, high: Float32Array, mean: Float32Array, spread: Float32Array}} Ranges
 *   Of each number of the code: smallest and largest, mean and standard deviation.
 */

/**
 * Do `each` for 0 .. count - 1, a few milliseconds a frame.
 * @param {number} count @param {(i: number) => void} each @param {() => boolean} [wanted] Asked before each slice.
 * @returns {Promise<boolean>} Whether it came to the end.
 */
export function inSlices(count, each, wanted = () => true) {
  return new Promise((done) => {
    let next = 0;
    const slice = () => {
      if (!wanted()) return done(false);
      const end = performance.now() + SLICE_MS;
      while (next < count && performance.now() < end) each(next++);
      return next < count ? onFrame(slice) : done(true);
    };
    onFrame(slice);
  });
}

/**
 * Where the numbers of the code lie for some objects.
 * @param {any} model A model of its own: its arrays are overwritten.
 * @param {Float32Array[]} objects @param {() => boolean} [wanted]
 * @returns {Promise<Ranges | null>} Null if it was no longer wanted.
 */
export async function codeRanges(model, objects, wanted) {
  const { size } = model.graph.code;
  const [low, high] = [Infinity, -Infinity].map((end) => new Float32Array(size).fill(end));
  const sums = { low, high, sum: new Float64Array(size), squares: new Float64Array(size) };
  const whole = await inSlices(objects.length, (i) => addUp(sums, model.encode(objects[i]).z), wanted);
  if (!whole) return null;
  const n = (objects.length * model.z.length) / size;
  const mean = Float32Array.from(sums.sum, (sum) => sum / n);
  const spread = Float32Array.from(sums.squares, (square, k) => Math.sqrt(Math.max(0, square / n - mean[k] ** 2)));
  return { low, high, mean, spread };
}

/** @param {{low: Float32Array, high: Float32Array, sum: Float64Array, squares: Float64Array}} sums @param {Float32Array} z */
function addUp({ low, high, sum, squares }, z) {
  const size = low.length;
  for (let i = 0; i < z.length; i += 1) {
    const k = i % size;
    const value = z[i];
    if (value < low[k]) low[k] = value;
    if (value > high[k]) high[k] = value;
    sum[k] += value;
    squares[k] += value * value;
  }
}

/**
 * The first objects of a run, those that frames show too.
 * @param {any} run @param {number} many
 * @returns {Promise<Float32Array[]>}
 */
export function firstObjects(run, many) {
  const count = Math.min(many, run.detail.peek()?.objects?.count ?? 0);
  return Promise.all(Array.from({ length: count }, (_, i) => run.object(i)));
}
