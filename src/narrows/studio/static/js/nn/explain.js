/** Where one value of one layer comes from: the values it was made of, their weights, and what was done to the sum. */

import { windowOf } from "narrows/nn/ops";
import { behind, moves, unravel } from "narrows/nn/places";

/**
 * @typedef {import("narrows/nn/nn").Layer} Layer
 * @typedef {import("narrows/nn/nn").Model} Model
 * @typedef {{index: Int32Array, value: Float32Array, weight: Float32Array, product: Float32Array}} Terms
 *   Values of the layer before by their index there, what each is multiplied with, and the products.
 * @typedef {{from: number[], to: number[]}} Box First and last place, along each side, that a convolution saw.
 * @typedef {{name: "input"|"forget"|"candidate"|"output", fromInput: number, fromHidden: number, bias: number,
 *   sum: number, value: number}} Gate
 * @typedef {{step: number, backward: boolean, unit: number, depth: number, gates: Gate[], before: number,
 *   cell: number}} Memory
 *   cell = forget * before + input * candidate; the value is output * tanh(cell).
 * @typedef {{name: string, label: string, op: string, index: number, place: number[], value: number, from: string,
 *   terms?: Terms, bias?: number, sum?: number, activation?: string, window?: Box, memory?: Memory,
 *   kept?: boolean, level?: number, levels?: number, entry?: number}} Origin
 *   value = activation(sum), sum = the sum of the products + bias; `from` is the layer the terms are values of.
 * @typedef {(model: Model, layer: Layer, index: number) => Partial<Origin>} Explain
 * @typedef {(channel: number, y: number, x: number) => number} Kernel The weight of a value of the layer before.
 */

/**
 * Where a value comes from, in the pass that the model made last. Layers that only move values about are passed over.
 * @param {Model} model
 * @param {string} name The layer.
 * @param {number} index Of the value in the layer.
 * @returns {Origin | null} null where there is nothing behind it: it is a value of the object, or a zero filled in.
 */
export function explain(model, name, index) {
  const layer = model.graph.layers.find((one) => one.name === name);
  if (!layer) return null;
  if (moves(layer)) {
    const before = behind(layer, index);
    return before && explain(model, before.from, before.index);
  }
  const { label, op, out, from } = layer;
  const known = { name, label, op, index, place: unravel(index, out), value: model.trace[name][index], from: from[0] };
  return { ...known, ...ORIGINS[op](model, layer, index) };
}

/**
 * The terms that weigh most, the largest product first.
 * @param {Terms} terms @param {number} count
 * @returns {{index: number, value: number, weight: number, product: number}[]}
 */
export function strongest(terms, count) {
  const size = Array.from(terms.product, Math.abs);
  const order = Array.from(size.keys()).sort((a, b) => size[b] - size[a]);
  return order.slice(0, count).map((at) => ({
    index: terms.index[at],
    value: terms.value[at],
    weight: terms.weight[at],
    product: terms.product[at],
  }));
}

/**
 * @param {Float32Array} x The layer before.
 * @param {number[]} index @param {number[]} weight
 * @returns {Terms}
 */
function termsOf(x, index, weight) {
  return {
    index: Int32Array.from(index),
    value: Float32Array.from(index, (i) => x[i]),
    weight: Float32Array.from(weight),
    product: Float32Array.from(index, (i, at) => x[i] * weight[at]),
  };
}

/** @param {Terms} terms @param {number} bias */
const added = (terms, bias) => terms.product.reduce((sum, product) => sum + product, bias);

/** @param {Model} model @param {Layer} layer @param {number[]} index @param {number[]} weight @param {number} bias */
function weighed(model, layer, index, weight, bias) {
  const terms = termsOf(model.trace[layer.from[0]], index, weight);
  return { terms, bias, sum: added(terms, bias), activation: layer.activation };
}

/** @type {Explain} */
function dense(model, layer, index) {
  const [n, m] = [/** @type {number} */ (layer.in.at(-1)), /** @type {number} */ (layer.out.at(-1))];
  const [place, unit] = [Math.floor(index / m), index % m];
  const weights = model.tensors.reader(layer.weights.weight, layer.transposed)();
  const row = weights.subarray(unit * n, (unit + 1) * n);
  const inputs = Array.from({ length: n }, (_, i) => place * n + i);
  return weighed(model, layer, inputs, Array.from(row), model.tensors.reader(layer.weights.bias)()[unit]);
}

/**
 * First and last of `count` places that a kernel saw along one side.
 * @param {number} start @param {number} size @param {number} count
 */
const seen = (start, size, count) => [Math.max(0, start), Math.min(count, start + size) - 1];

/** @type {Explain} */
function convolution(model, layer, index) {
  const g = windowOf(layer);
  const [unit, row, column] = unravel(index, [g.out, g.outHeight, g.outWidth]);
  const [top, left] = [row * g.down - g.top, column * g.across - g.left];
  const rows = seen(top, g.tall, g.height);
  const columns = seen(left, g.wide, g.width);
  const weights = model.tensors.reader(layer.weights.weight)();
  /** @type {Kernel} */
  const kernel = (c, y, x) => weights[((unit * g.channels + c) * g.tall + y - top) * g.wide + x - left];
  return windowed(model, layer, g, unit, rows, columns, kernel);
}

/**
 * First and last of `count` places that spread to the one at `at`.
 * @param {number} at @param {number} size @param {number} stride @param {number} count
 */
const spreading = (at, size, stride, count) => [
  Math.max(0, Math.ceil((at - size + 1) / stride)),
  Math.min(count - 1, Math.floor(at / stride)),
];

/** @type {Explain} */
function transposed(model, layer, index) {
  const g = windowOf(layer);
  const [unit, row, column] = unravel(index, [g.out, g.outHeight, g.outWidth]);
  const rows = spreading(row + g.top, g.tall, g.down, g.height);
  const columns = spreading(column + g.left, g.wide, g.across, g.width);
  const weights = model.tensors.reader(layer.weights.weight)();
  /** @type {Kernel} */
  const kernel = (c, y, x) => {
    const [i, j] = [row + g.top - y * g.down, column + g.left - x * g.across];
    return weights[((c * g.out + unit) * g.tall + i) * g.wide + j];
  };
  return windowed(model, layer, g, unit, rows, columns, kernel);
}

/**
 * The sum over a window, channel by channel and row by row.
 * @param {Model} model @param {Layer} layer @param {import("narrows/nn/kernels").Window} g @param {number} unit
 * @param {number[]} rows First and last. @param {number[]} columns First and last. @param {Kernel} kernel
 */
function windowed(model, layer, g, unit, [top, bottom], [left, right], kernel) {
  const [index, weight] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let c = 0; c < g.channels; c += 1) {
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        index.push((c * g.height + y) * g.width + x);
        weight.push(kernel(c, y, x));
      }
    }
  }
  const flat = layer.in.length === 2;
  const window = flat ? { from: [left], to: [right] } : { from: [top, left], to: [bottom, right] };
  return { ...weighed(model, layer, index, weight, model.tensors.reader(layer.weights.bias)()[unit]), window };
}

/** The value itself through a function. @param {string} activation @returns {Explain} */
const alone = (activation) => (model, layer, index) => ({
  ...weighed(model, layer, [index], [1], 0),
  activation,
});

/** The same input at every step, with the step's own bias. @type {Explain} */
function position(model, layer, index) {
  const bias = model.tensors.reader(layer.weights.weight)()[index];
  return weighed(model, layer, [index % layer.in[0]], [1], bias);
}

const GATES = /** @type {const} */ (["input", "forget", "candidate", "output"]);

/** @type {Explain} */
function lstm(model, layer, index) {
  const H = /** @type {number} */ (layer.hidden);
  const T = layer.in[0];
  const ways = model.gates[layer.name];
  const [step, at] = [Math.floor(index / (2 * H)), index % (2 * H)];
  const backward = at >= H;
  const t = layer.returns === "sequence" ? step : backward ? 0 : T - 1;
  const way = ways[ways.length - 2 + Number(backward)];
  return { memory: memory(model, layer, way, t, at % H) };
}

/**
 * What one unit of memory did at a step, in any layer and way of an LSTM.
 * @param {Model} model @param {Layer} layer @param {import("narrows/nn/ops").Gates} way @param {number} t
 * @param {number} unit @returns {Memory}
 */
export function memory(model, layer, way, t, unit) {
  const { layer: depth, backward } = way;
  const H = /** @type {number} */ (layer.hidden);
  const before = backward ? t + 1 : t - 1;
  const began = before < 0 || before >= layer.in[0];
  const x = inputOf(model, layer, depth, t);
  const hidden = began ? new Float32Array(H) : way.hidden.subarray(before * H, (before + 1) * H);
  const read = (/** @type {string} */ part) =>
    model.tensors.reader(layer.weights[`${part}_l${depth}${backward ? "_reverse" : ""}`])();
  const gates = GATES.map((name, gate) => {
    const row = gate * H + unit;
    const fromInput = inner(read("weight_ih"), row, x);
    const fromHidden = inner(read("weight_hh"), row, hidden);
    const bias = read("bias_ih")[row] + read("bias_hh")[row];
    return { name, fromInput, fromHidden, bias, sum: fromInput + fromHidden + bias, value: way[name][t * H + unit] };
  });
  const cells = { before: began ? 0 : way.cell[before * H + unit], cell: way.cell[t * H + unit] };
  return { step: t, backward, unit, depth, gates, ...cells };
}

/**
 * What one layer of an LSTM reads at a step.
 * @param {Model} model @param {Layer} layer @param {number} depth @param {number} t
 */
function inputOf(model, layer, depth, t) {
  const [, V] = layer.in;
  if (depth === 0) return model.trace[layer.from[0]].subarray(t * V, (t + 1) * V);
  const H = /** @type {number} */ (layer.hidden);
  const ways = model.gates[layer.name].filter((way) => way.layer === depth - 1);
  return Float32Array.from(ways.flatMap(({ hidden }) => Array.from(hidden.subarray(t * H, (t + 1) * H))));
}

/** @param {Float32Array} matrix @param {number} row @param {Float32Array} x */
const inner = (matrix, row, x) => x.reduce((sum, value, i) => sum + value * matrix[row * x.length + i], 0);

/** @type {Explain} */
const topk = (model, layer, index) => ({
  ...alone("identity")(model, layer, index),
  kept: model.trace[layer.name][index] !== 0,
});

/** @type {Explain} */
function fsq(model, layer, index) {
  const levels = /** @type {number} */ (layer.levels);
  const level = Math.round(((model.trace[layer.name][index] + 1) * (levels - 1)) / 2);
  return { ...alone("tanh, rounded")(model, layer, index), level, levels };
}

/** @type {Explain} */
function vq(model, layer, index) {
  const [groups, entries, width] = layer.weights.entries.shape;
  const begin = index - (index % width);
  const group = (begin / width) % groups;
  const book = model.tensors.reader(layer.weights.entries)().subarray(group * entries * width);
  const z = model.trace[layer.name].subarray(begin, begin + width);
  const numbers = Array.from({ length: entries }, (_, entry) => entry);
  const entry = numbers.find((one) => z.every((value, j) => value === book[one * width + j]));
  const inputs = Array.from(z, (_, j) => begin + j);
  return { terms: termsOf(model.trace[layer.from[0]], inputs, inputs.map(() => 1)), entry };
}

/** @type {Record<string, Explain>} */
const ORIGINS = {
  dense,
  conv1d: convolution,
  conv2d: convolution,
  convt1d: transposed,
  convt2d: transposed,
  position,
  lstm,
  sigmoid: alone("sigmoid"),
  topk,
  fsq,
  vq,
};
