/** How classes are told apart: by colour, then by shape, and always by name in the legend. */

import { classColour, token } from "narrows/draw/draw";

export const SHAPES = ["circle", "square", "triangle", "diamond", "cross", "plus", "down"];

/** The shapes as paths in a box of 13 x 13. */
export const MARKS = {
  circle: "M6.5 1.5a5 5 0 1 0 .01 0z",
  square: "M2 2h9v9h-9z",
  diamond: "M6.5 .5l6 6-6 6-6-6z",
  triangle: "M6.5 1l6 11h-12z",
  down: "M6.5 12l6-11h-12z",
  plus: "M4.7 .5h3.6v4.2h4.2v3.6h-4.2v4.2h-3.6v-4.2h-4.2v-3.6h4.2z",
  cross: "M3.2 .8l3.3 3.3 3.3-3.3 2.4 2.4-3.3 3.3 3.3 3.3-2.4 2.4-3.3-3.3-3.3 3.3-2.4-2.4 3.3-3.3-3.3-3.3z",
};

/** @typedef {{index: number, name: string, count: number, shape: string}} Class One that some object is of; index -1 is "no class". */

/** Number of the style of objects without a class: the last one. @param {string[]} names */
export const styleOfNone = (names) => names.length;

/** @param {number} index */
export const shapeOf = (index) => (index < 0 ? "circle" : SHAPES[index % SHAPES.length]);

/**
 * Style number of every object: its class number, or the last one for no class.
 * @param {Int16Array | null} labels
 * @param {string[]} names
 * @param {number} count
 */
export function kindsOf(labels, names, count) {
  const none = styleOfNone(names);
  const kinds = new Uint8Array(count).fill(none);
  if (labels) for (let i = 0; i < count; i += 1) kinds[i] = labels[i] >= 0 && labels[i] < none ? labels[i] : none;
  return kinds;
}

/**
 * Colours and shapes in the theme of now, the one for no class last. Where nothing has a class, dots are drawn in the
 * colour of the code: grey is for what is left out.
 * @param {string[]} names
 */
export function stylesOf(names) {
  const styles = names.map((_, index) => ({ colour: classColour(index), shape: shapeOf(index) }));
  return [...styles, { colour: names.length ? classColour(-1) : token("code"), shape: "circle" }];
}

/**
 * The classes that occur, with how many objects each has among the first `count`.
 * @param {Int16Array | null} labels
 * @param {string[]} names
 * @param {number} count
 * @returns {Class[]}
 */
export function occurring(labels, names, count) {
  const counts = new Uint32Array(names.length + 1);
  kindsOf(labels?.subarray(0, count) ?? null, names, Math.min(count, labels?.length ?? count)).forEach((kind) => (counts[kind] += 1));
  const all = [...names, "no class"].map((name, at) => {
    const index = at < names.length ? at : -1;
    return { index, name, count: counts[at], shape: shapeOf(index) };
  });
  return all.filter((one) => one.count > 0);
}
