/** The weights of a layer as pictures: filters of a convolution, patterns of a dense layer, matrices of an LSTM. */

import { product } from "narrows/nn/ops";

/**
 * @typedef {{name: string, count: number, each: number, shape: number[], values: Float32Array}} Plates
 *   `count` units with `each` plates of `shape`: values (count, each, *shape). Plates of patterns have the object's
 *   shape; those of other dense layers are one row.
 */

/**
 * @param {import("narrows/nn/nn").Model} model
 * @param {string} name
 * @returns {Plates[]} Empty for a layer without weights.
 */
export function filters(model, name) {
  const layer = model.graph.layers.find((one) => one.name === name);
  return layer ? (PLATES[layer.op]?.(model, layer) ?? []) : [];
}

/**
 * @typedef {import("narrows/nn/nn").Model} Model
 * @typedef {import("narrows/nn/nn").Layer} Layer
 * @typedef {(model: Model, layer: Layer) => Plates[]} Maker
 */

/** @type {Maker} */
function convolution(model, layer) {
  const [count, each, ...shape] = layer.weights.weight.shape;
  return [{ name: "filters", count, each, shape, values: model.tensors.reader(layer.weights.weight)() }];
}

/** What each channel draws: torch keeps a transposed kernel by its input. @type {Maker} */
function transposed(model, layer) {
  const [each, count, ...shape] = layer.weights.weight.shape;
  const weights = model.tensors.reader(layer.weights.weight)();
  const values = new Float32Array(weights.length);
  const size = product(shape);
  for (let i = 0; i < each; i += 1) {
    for (let o = 0; o < count; o += 1) {
      const from = (i * count + o) * size;
      values.set(weights.subarray(from, from + size), (o * each + i) * size);
    }
  }
  return [{ name: "filters", count, each, shape, values }];
}

/** Patterns where a layer reads or writes the whole object, else rows. @type {Maker} */
function dense(model, layer) {
  const [n, m] = [Number(layer.in.at(-1)), Number(layer.out.at(-1))];
  const { values: D, shape } = model.graph;
  const reads = readsObject(model, layer);
  const writes = !reads && m === D && layer.part === "decoder";
  const values = model.tensors.reader(layer.weights.weight, Boolean(layer.transposed) !== writes)();
  if (writes) return [{ name: "what each number draws", count: n, each: 1, shape, values }];
  const drawn = reads ? { name: "what each unit looks for", shape } : { name: "weights", shape: [n] };
  return [{ ...drawn, count: m, each: 1, values }];
}

/** @param {Model} model @param {Layer} layer */
function readsObject({ graph }, layer) {
  const before = graph.layers.find(({ name }) => name === layer.from[0]);
  return layer.from[0] === "object" || (before?.op === "reshape" && before.from[0] === "object");
}

/** @type {Maker} */
function lstm(model, layer) {
  const matrices = Object.entries(layer.weights).filter(([, slot]) => slot.shape.length === 2);
  return matrices.map(([name, slot]) => {
    const [count, width] = slot.shape;
    return { name, count, each: 1, shape: [width], values: model.tensors.reader(slot)() };
  });
}

/** @type {Maker} */
function codebook(model, layer) {
  const [groups, entries, width] = layer.weights.entries.shape;
  const values = model.tensors.reader(layer.weights.entries)();
  return [{ name: "entries", count: groups * entries, each: 1, shape: [width], values }];
}

/** @type {Record<string, Maker>} */
const PLATES = {
  conv1d: convolution,
  conv2d: convolution,
  convt1d: transposed,
  convt2d: transposed,
  dense,
  lstm,
  vq: codebook,
};
