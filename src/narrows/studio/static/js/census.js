/** What many objects make of a model, counted a little in every frame so that nothing stutters. */

import { onFrame } from "narrows/beat";

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
  const sums = { low: new Float32Array(size).fill(Infinity), high: new Float32Array(size).fill(-Infinity), sum: new Float64Array(size), squares: new Float64Array(size) };
  const whole = await inSlices(objects.length, (i) => addUp(sums, model.encode(objects[i]).z), wanted);
  if (!whole) return null;
  const n = (objects.length * model.z.length) / size;
  const mean = Float32Array.from(sums.sum, (sum) => sum / n);
  const spread = Float32Array.from(sums.squares, (square, k) => Math.sqrt(Math.max(0, square / n - mean[k] ** 2)));
  return { low: sums.low, high: sums.high, mean, spread };
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
 * How strongly each unit of a layer answers to each of some objects.
 * @param {any} model A model of its own.
 * @param {Float32Array[]} objects @param {string} name Of the layer.
 * @param {{units: number, unitOf: (i: number) => number}} layout Which unit a value belongs to.
 * @param {() => boolean} [wanted]
 * @returns {Promise<{strongest: Float32Array, units: number, count: number} | null>} `strongest` is (units, count): the
 *   largest value of a unit for an object.
 */
export async function answers(model, objects, name, { units, unitOf }, wanted) {
  const count = objects.length;
  const strongest = new Float32Array(units * count).fill(-Infinity);
  const each = (i) => {
    const values = model.reach(objects[i], name);
    for (let v = 0; v < values.length; v += 1) {
      const at = unitOf(v) * count + i;
      if (values[v] > strongest[at]) strongest[at] = values[v];
    }
  };
  return (await inSlices(count, each, wanted)) ? { strongest, units, count } : null;
}

/**
 * The objects a unit answers to most strongly.
 * @param {{strongest: Float32Array, count: number}} found @param {number} unit @param {number} many
 * @returns {number[]} Their places among the objects.
 */
export function favourites({ strongest, count }, unit, many) {
  const own = strongest.subarray(unit * count, (unit + 1) * count);
  return Array.from(own.keys()).sort((a, b) => own[b] - own[a]).slice(0, many);
}
