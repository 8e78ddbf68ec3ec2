/** What the tour talks of, in words: the objects of the data at hand, and what they consist of. */

import { NOUNS } from "narrows/page/controls";

/**
 * @typedef {{thing: string, things: string, made: string, code: string}} About
 *   One object, several, what one consists of ("784 pixels"), and what passes the middle ("two numbers").
 */

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** Of what an object of a kind consists: one, and several. @type {Record<string, [string, string]>} */
const PIECES = {
  image: ["pixel", "pixels"],
  series: ["sample", "samples"],
  sound: ["sample", "samples"],
  spectrum: ["band", "bands"],
  table: ["column", "columns"],
};

/** @param {number} count @param {[string, string]} words */
const counted = (count, [one, many]) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/**
 * What an object consists of: "64 pixels", "1,024 pixels of 3 colours", "140 samples", "103 bands".
 * @param {{kind: string, shape: number[]}} graph
 */
export function madeOf({ kind, shape }) {
  const places = kind === "image" ? shape.slice(-2) : kind === "table" ? shape : shape.slice(-1);
  // A sound that is shown to the network as a spectrogram consists of more than its last side.
  const several = kind !== "image" && shape.length > 2;
  const product = (sides) => sides.reduce((all, side) => all * side, 1);
  if (several) return counted(product(shape), ["number", "numbers"]);
  const layers = product(shape) / product(places);
  const beside = layers === 1 ? "" : kind === "image" ? ` of ${layers} colours` : ` in ${layers} channels`;
  return counted(product(places), PIECES[kind] ?? ["number", "numbers"]) + beside;
}

/** The size of a code in words: "two numbers". @param {{code: {size: number, grid: number[]}}} graph */
export function codeOf({ code: { size, grid } }) {
  const count = grid.reduce((all, side) => all * side, size);
  return `${WORDS[count] ?? count.toLocaleString("en")} ${count === 1 ? "number" : "numbers"}`;
}

/** Before anything is known: the first data of the page. @type {About} */
const AT_FIRST = { thing: "picture", things: "pictures", made: "64 pixels", code: "two numbers" };

/** @param {any} graph @returns {About} */
export function aboutOf(graph) {
  if (!graph) return AT_FIRST;
  const [thing, things] = NOUNS[graph.kind] ?? ["object", "objects"];
  return { thing, things, made: madeOf(graph), code: codeOf(graph) };
}
