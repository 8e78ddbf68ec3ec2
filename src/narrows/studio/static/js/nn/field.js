/** The receptive field: which values of the object can reach one of a layer, read off the graph alone. */

import { product, windowOf } from "narrows/nn/ops";
import { behind, moves } from "narrows/nn/places";

/**
 * @typedef {import("narrows/nn/nn").Layer} Layer
 * @typedef {(layer: Layer, mask: Uint8Array, before: Uint8Array) => void} Back
 *   Marks in `before` what the marked values of a layer are made of.
 */

/**
 * @param {import("narrows/nn/nn").Graph} graph
 * @param {string} name The layer.
 * @param {number} index Of the value in it.
 * @returns {Uint8Array} (D,): 1 for each value of the object that can reach it.
 */
export function field(graph, name, index) {
  const masks = new Map([["object", new Uint8Array(graph.values)]]);
  graph.layers.forEach((layer) => masks.set(layer.name, new Uint8Array(product(layer.out))));
  /** @type {Uint8Array} */ (masks.get(name))[index] = 1;
  const last = graph.layers.findIndex((layer) => layer.name === name);
  for (const layer of graph.layers.slice(0, last + 1).reverse()) {
    const mask = /** @type {Uint8Array} */ (masks.get(layer.name));
    const before = layer.from.map((one) => /** @type {Uint8Array} */ (masks.get(one)));
    if (moves(layer)) moved(layer, mask, masks);
    else if (mask.includes(1)) (BACK[layer.op] ?? everything)(layer, mask, before[0]);
  }
  return /** @type {Uint8Array} */ (masks.get("object"));
}

/** @param {Layer} layer @param {Uint8Array} mask @param {Map<string, Uint8Array>} masks */
function moved(layer, mask, masks) {
  for (let i = mask.indexOf(1); i >= 0; i = mask.indexOf(1, i + 1)) {
    const value = behind(layer, i);
    if (value) /** @type {Uint8Array} */ (masks.get(value.from))[value.index] = 1;
  }
}

/** @type {Back} */
const everything = (_, __, before) => void before.fill(1);

/**
 * All of a row of `width` numbers before, for each row of `out` numbers in which one is marked.
 * @param {Uint8Array} mask @param {Uint8Array} before @param {number} out @param {number} width
 */
function rows(mask, before, out, width) {
  for (let row = 0; row * out < mask.length; row += 1) {
    if (mask.subarray(row * out, (row + 1) * out).includes(1)) before.fill(1, row * width, (row + 1) * width);
  }
}

/** Each place has its own code and its own row. @type {Back} */
const along = (layer, mask, before) => rows(mask, before, Number(layer.out.at(-1)), Number(layer.in.at(-1)));

/** @type {Back} */
function groups({ weights }, mask, before) {
  const width = weights.entries.shape[2];
  rows(mask, before, width, width);
}

/** @type {Back} */
function position({ in: [width] }, mask, before) {
  mask.forEach((marked, i) => marked && (before[i % width] = 1));
}

/** @type {Back} */
function convolution(layer, mask, before) {
  const g = windowOf(layer);
  const plane = g.outHeight * g.outWidth;
  for (let at = 0; at < plane; at += 1) {
    if (!anyChannel(mask, at, plane)) continue;
    const [top, left] = [Math.floor(at / g.outWidth) * g.down - g.top, (at % g.outWidth) * g.across - g.left];
    for (let y = Math.max(0, top); y < Math.min(g.height, top + g.tall); y += 1) {
      for (let x = Math.max(0, left); x < Math.min(g.width, left + g.wide); x += 1) {
        markAll(before, y * g.width + x, g.height * g.width);
      }
    }
  }
}

/** @type {Back} */
function transposed(layer, mask, before) {
  const g = windowOf(layer);
  const plane = g.outHeight * g.outWidth;
  for (let at = 0; at < g.height * g.width; at += 1) {
    const [top, left] = [Math.floor(at / g.width) * g.down - g.top, (at % g.width) * g.across - g.left];
    let reached = false;
    for (let y = Math.max(0, top); y < Math.min(g.outHeight, top + g.tall); y += 1) {
      for (let x = Math.max(0, left); x < Math.min(g.outWidth, left + g.wide); x += 1) {
        reached ||= anyChannel(mask, y * g.outWidth + x, plane);
      }
    }
    if (reached) markAll(before, at, g.height * g.width);
  }
}

/** @param {Uint8Array} mask @param {number} at @param {number} plane */
function anyChannel(mask, at, plane) {
  for (let i = at; i < mask.length; i += plane) if (mask[i]) return true;
  return false;
}

/** @param {Uint8Array} mask @param {number} at @param {number} plane */
function markAll(mask, at, plane) {
  for (let i = at; i < mask.length; i += plane) mask[i] = 1;
}

/** @type {Back} */
const same = (_, mask, before) => mask.forEach((marked, i) => marked && (before[i] = 1));

/** Ops that do not reach for everything. @type {Record<string, Back>} */
const BACK = {
  dense: along,
  topk: along,
  vq: groups,
  position,
  sigmoid: same,
  fsq: same,
  conv1d: convolution,
  conv2d: convolution,
  convt1d: transposed,
  convt2d: transposed,
};
