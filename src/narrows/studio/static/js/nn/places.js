/** Where a value stands in a layer, and which value stands behind it where a layer only moves values about. */

import { placesOfSteps, product } from "narrows/nn/ops";

/** @typedef {import("narrows/nn/nn").Layer} Layer */

/**
 * @param {number} index @param {number[]} shape
 * @returns {number[]} One coordinate an axis.
 */
export function unravel(index, shape) {
  const place = new Array(shape.length);
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis -= 1) {
    place[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}

/** @param {number[]} place @param {number[]} shape */
export const ravel = (place, shape) => place.reduce((index, at, axis) => index * shape[axis] + at, 0);

/**
 * What a layer that moves values about does to one of them: its index in the layer to [which input, index there], or
 * null where zeros were filled in.
 * @type {Record<string, (layer: Layer, index: number) => [number, number] | null>}
 */
const MOVES = {
  reshape: (_, index) => [0, index],
  concat: ({ in: shape }, index) => (index < product(shape) ? [0, index] : [1, index - product(shape)]),
  movedim: ({ in: shape, out, to }, index) => {
    const place = unravel(index, out);
    const before = to === "last" ? [place[place.length - 1], ...place.slice(0, -1)] : [...place.slice(1), place[0]];
    return [0, ravel(before, shape)];
  },
  steps: ({ in: shape }, index) => {
    const before = placesOfSteps(shape).indexOf(index);
    return before < 0 ? null : [0, before];
  },
  join: ({ out }, index) => [0, placesOfSteps(out)[index]],
};

/** Whether a layer only moves values about. @param {Layer} layer */
export const moves = (layer) => layer.op in MOVES;

/**
 * The value behind one of a layer that only moves values about.
 * @param {Layer} layer @param {number} index
 * @returns {{from: string, index: number} | null}
 */
export function behind(layer, index) {
  const found = MOVES[layer.op](layer, index);
  return found && { from: layer.from[found[0]], index: found[1] };
}

/**
 * The units of a layer: a convolution's are its channels, those of other layers the numbers along the last axis; each
 * has a value at every place.
 * @param {Layer} layer
 * @returns {{count: number, places: number, at: (unit: number, place: number) => number}} `at`: index in the layer.
 */
export function unitsOf({ op, to, out }) {
  const first = op.startsWith("conv") || op === "concat" || to === "first";
  const count = /** @type {number} */ (first ? out[0] : out.at(-1));
  const places = product(out) / count;
  return { count, places, at: first ? (unit, place) => unit * places + place : (unit, place) => place * count + unit };
}
