/** The functions after a layer, after the decoder and in a bottleneck, each over an array in place. */

/** @typedef {(y: Float32Array) => void} InPlace */

/** @param {(value: number) => number} f @returns {InPlace} */
const each = (f) => (y) => {
  for (let i = 0; i < y.length; i += 1) y[i] = f(y[i]);
};

/** @param {number} x */
export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Coefficients of `erf`. */
const POLYNOMIAL = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];

/**
 * The error function, to 1.5e-7 (Abramowitz and Stegun, 1964, formula 7.1.26).
 * @param {number} x
 */
export function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = POLYNOMIAL.reduceRight((rest, coefficient) => (rest + coefficient) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** Activations by the name the recipe gives them. @type {Record<string, InPlace>} */
export const ACTIVATIONS = {
  identity: () => {},
  silu: each((x) => x / (1 + Math.exp(-x))),
  gelu: each((x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2),
  relu: each((x) => (x > 0 ? x : 0)),
  tanh: each(Math.tanh),
};

/** The decoder's last function by name. @type {Record<string, InPlace>} */
export const HEADS = {
  linear: () => {},
  clipped: each((x) => Math.min(1, Math.max(0, x))),
  sigmoid: each(sigmoid),
  tanh: each(Math.tanh),
};

/**
 * To the nearest whole number, halves to the even one, as IEEE 754 rounds.
 * @param {number} x
 */
export function rounded(x) {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
