/**
 * What each kind of layer of a graph does: a table from its op to a maker, `(layer, tensors) => {run, gates?}`.
 * `run(inputs, y)` reads the outputs of the layers it is told of and fills y; buffers are made once.
 */

import { ACTIVATIONS, rounded, sigmoid } from "narrows/nn/functions";
import { gather, multiply, one, scatter } from "narrows/nn/kernels";

/**
 * @typedef {import("narrows/nn/nn").Layer} Layer
 * @typedef {import("narrows/nn/tensors").Tensors} Tensors
 * @typedef {(inputs: Float32Array[], y: Float32Array) => void} Run
 * @typedef {{layer: number, backward: boolean, input: Float32Array, forget: Float32Array, candidate: Float32Array,
 *   output: Float32Array, cell: Float32Array, hidden: Float32Array}} Gates
 *   Of one way through one layer of an LSTM, each (T, H), in the order of time.
 * @typedef {{run: Run, gates?: Gates[]}} Runner
 */

/** @param {number[]} shape */
export const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** @param {Layer} layer @param {Tensors} tensors @returns {Runner} */
function dense(layer, tensors) {
  const weight = tensors.reader(layer.weights.weight, layer.transposed);
  const bias = tensors.reader(layer.weights.bias);
  const [n, m] = [/** @type {number} */ (layer.in.at(-1)), /** @type {number} */ (layer.out.at(-1))];
  const places = product(layer.in) / n;
  const { limit = Infinity } = layer;
  const finish = ACTIVATIONS[layer.activation];
  const run = /** @type {Run} */ (
    ([x], y) => {
      multiply(x, places, n, weight(), m, bias(), y, 0, 1, m);
      finish(y);
      if (limit < Infinity) for (let i = 0; i < y.length; i += 1) y[i] = Math.min(limit, Math.max(-limit, y[i]));
    }
  );
  return { run };
}

/** The sides of a convolution of one or two sides. @param {Layer} layer @returns {import("narrows/nn/kernels").Window} */
export function windowOf(layer) {
  const flat = layer.in.length === 2;
  const [channels, height, width] = flat ? [layer.in[0], 1, layer.in[1]] : layer.in;
  const [out, outHeight, outWidth] = flat ? [layer.out[0], 1, layer.out[1]] : layer.out;
  const { kernel: wide, stride: across, padding: left } = layer;
  const [tall, down, top] = flat ? [1, 1, 0] : [wide, across, left];
  return { channels, height, width, out, outHeight, outWidth, tall, wide, down, across, top, left };
}

/** @param {Layer} layer @param {Tensors} tensors @returns {Runner} */
function convolution(layer, tensors) {
  const weight = tensors.reader(layer.weights.weight);
  const bias = tensors.reader(layer.weights.bias);
  const g = windowOf(layer);
  const n = g.channels * g.tall * g.wide;
  const patches = new Float32Array(g.outWidth * n);
  const finish = ACTIVATIONS[layer.activation];
  const plane = g.outHeight * g.outWidth;
  const run = /** @type {Run} */ (
    ([x], y) => {
      for (let row = 0; row < g.outHeight; row += 1) {
        gather(x, g, row, patches);
        multiply(patches, g.outWidth, n, weight(), g.out, bias(), y, row * g.outWidth, plane, 1);
      }
      finish(y);
    }
  );
  return { run };
}

/** @param {Layer} layer @param {Tensors} tensors @returns {Runner} */
function transposed(layer, tensors) {
  const weight = tensors.reader(layer.weights.weight, true);
  const bias = tensors.reader(layer.weights.bias);
  const g = windowOf(layer);
  const m = g.out * g.tall * g.wide;
  const line = new Float32Array(g.width * g.channels);
  const spread = new Float32Array(g.width * m);
  const nothing = new Float32Array(m);
  const finish = ACTIVATIONS[layer.activation];
  const plane = g.outHeight * g.outWidth;
  const run = /** @type {Run} */ (
    ([x], y) => {
      bias().forEach((value, c) => y.fill(value, c * plane, (c + 1) * plane));
      for (let row = 0; row < g.height; row += 1) {
        transpose(x, row * g.width, g.channels, g.height * g.width, g.width, line);
        multiply(line, g.width, g.channels, weight(), m, nothing, spread, 0, 1, m);
        scatter(spread, g, row, y);
      }
      finish(y);
    }
  );
  return { run };
}

/**
 * `columns` numbers of each of some rows, from (rows, stride) to (columns, rows).
 * @param {Float32Array} x @param {number} from @param {number} rows @param {number} stride @param {number} columns
 * @param {Float32Array} y
 */
function transpose(x, from, rows, stride, columns, y) {
  for (let j = 0, at = 0; j < columns; j += 1) {
    for (let i = 0; i < rows; i += 1, at += 1) y[at] = x[from + i * stride + j];
  }
}

/** @returns {Runner} */
const same = () => ({ run: ([x], y) => y.set(x) });

/** @param {Layer} layer @returns {Runner} */
function movedim({ in: shape, to }) {
  const channels = /** @type {number} */ (to === "last" ? shape[0] : shape.at(-1));
  const places = product(shape) / channels;
  const [rows, columns] = to === "last" ? [channels, places] : [places, channels];
  return { run: ([x], y) => transpose(x, 0, rows, columns, columns, y) };
}

/** @returns {Runner} */
const concat = () => ({
  run: ([a, b], y) => {
    y.set(a);
    y.set(b, a.length);
  },
});

/** @param {Layer} layer @param {Tensors} tensors @returns {Runner} */
function position({ in: [width], weights }, tensors) {
  const bias = tensors.reader(weights.weight);
  const run = /** @type {Run} */ (
    ([x], y) => {
      const steps = bias();
      for (let i = 0; i < y.length; i += 1) y[i] = x[i % width] + steps[i];
    }
  );
  return { run };
}

/**
 * Where each value of an object stands among its steps: a picture (C, H, W) has a step a row, a series (C, L) a step
 * a sample, each with the values of all channels one after the other; neighbouring steps then stand side by side.
 * @param {number[]} shape
 * @returns {Int32Array} (D,)
 */
export function placesOfSteps(shape) {
  const [channels, length, width = 1] = shape.length === 1 ? [1, ...shape] : shape;
  const places = new Int32Array(channels * length * width);
  for (let c = 0, at = 0; c < channels; c += 1) {
    for (let t = 0; t < length; t += 1) {
      for (let j = 0; j < width; j += 1, at += 1) places[at] = (t * channels + c) * width + j;
    }
  }
  return places;
}

/** @param {Layer} layer @returns {Runner} */
function steps(layer) {
  const places = placesOfSteps(layer.in);
  const run = /** @type {Run} */ (([x], y) => places.forEach((place, i) => (y[place] = x[i])));
  return { run };
}

/** @param {Layer} layer @returns {Runner} */
function join(layer) {
  const places = placesOfSteps(layer.out);
  const run = /** @type {Run} */ (([x], y) => places.forEach((place, i) => (y[i] = x[place])));
  return { run };
}

/** @param {Layer} layer @param {Tensors} tensors @returns {Runner} */
function lstm(layer, tensors) {
  const [T, values] = layer.in;
  const H = /** @type {number} */ (layer.hidden);
  const ways = Array.from({ length: 2 * /** @type {number} */ (layer.layers) }, (_, i) => {
    const width = i < 2 ? values : 2 * H;
    return oneWay(layer, tensors, Math.floor(i / 2), i % 2 === 1, T, width, H);
  });
  const between = new Float32Array(T * 2 * H);
  const run = /** @type {Run} */ (
    ([x], y) => {
      for (let i = 0; i < ways.length; i += 2) {
        const [there, back] = [ways[i], ways[i + 1]];
        there.run(i ? between : x);
        back.run(i ? between : x);
        beside(there.gates.hidden, back.gates.hidden, H, between);
      }
      if (layer.returns === "sequence") y.set(between);
      else ends(between, H, y);
    }
  );
  return { run, gates: ways.map((way) => way.gates) };
}

/**
 * Two series of vectors (T, H) side by side: (T, 2 H).
 * @param {Float32Array} a @param {Float32Array} b @param {number} H @param {Float32Array} y
 */
function beside(a, b, H, y) {
  for (let at = 0, to = 0; at < a.length; at += H, to += 2 * H) {
    y.set(a.subarray(at, at + H), to);
    y.set(b.subarray(at, at + H), to + H);
  }
}

/**
 * What each way of (T, 2 H) remembers at its end: the one at the last step, the other at the first.
 * @param {Float32Array} both @param {number} H @param {Float32Array} y
 */
function ends(both, H, y) {
  y.set(both.subarray(both.length - 2 * H, both.length - H));
  y.set(both.subarray(H, 2 * H), H);
}

/**
 * One way through one layer of an LSTM (Hochreiter and Schmidhuber, 1997), with torch's order of gates: i, f, g, o.
 * @param {Layer} layer @param {Tensors} tensors @param {number} depth @param {boolean} backward
 * @param {number} T @param {number} width @param {number} H
 */
function oneWay(layer, tensors, depth, backward, T, width, H) {
  const name = (/** @type {string} */ part) => layer.weights[`${part}_l${depth}${backward ? "_reverse" : ""}`];
  const [fromInput, fromHidden] = ["weight_ih", "weight_hh"].map((part) => tensors.reader(name(part)));
  const [biasInput, biasHidden] = ["bias_ih", "bias_hh"].map((part) => tensors.reader(name(part)));
  const [input, forget, candidate, output, cell, hidden] = Array.from({ length: 6 }, () => new Float32Array(T * H));
  const gates = { layer: depth, backward, input, forget, candidate, output, cell, hidden };
  const bias = new Float32Array(4 * H);
  const sums = new Float32Array(T * 4 * H);
  const now = new Float32Array(4 * H);
  const zeros = new Float32Array(H);
  /** @param {Float32Array} x */
  const run = (x) => {
    const [a, b] = [biasInput(), biasHidden()];
    for (let i = 0; i < bias.length; i += 1) bias[i] = a[i] + b[i];
    multiply(x, T, width, fromInput(), 4 * H, bias, sums, 0, 1, 4 * H);
    for (let k = 0; k < T; k += 1) {
      const t = backward ? T - 1 - k : k;
      const before = backward ? t + 1 : t - 1;
      one(k ? hidden : zeros, k ? before * H : 0, H, fromHidden(), 4 * H, sums, t * 4 * H, now, 0, 1);
      remember(gates, now, k ? before * H : -1, t * H, H);
    }
  };
  return { run, gates };
}

/**
 * One step of memory: c = f * c before + i * g, h = o * tanh(c).
 * @param {Gates} gates @param {Float32Array} sums (4 H,) @param {number} before Place of the step before, -1 for none.
 * @param {number} at @param {number} H
 */
function remember({ input, forget, candidate, output, cell, hidden }, sums, before, at, H) {
  for (let j = 0; j < H; j += 1) {
    const i = sigmoid(sums[j]);
    const f = sigmoid(sums[H + j]);
    const g = Math.tanh(sums[2 * H + j]);
    const o = sigmoid(sums[3 * H + j]);
    const c = (before < 0 ? 0 : f * cell[before + j]) + i * g;
    input[at + j] = i;
    forget[at + j] = f;
    candidate[at + j] = g;
    output[at + j] = o;
    cell[at + j] = c;
    hidden[at + j] = o * Math.tanh(c);
  }
}

/** @returns {Runner} */
const squash = () => ({
  run: ([x], y) => {
    for (let i = 0; i < y.length; i += 1) y[i] = sigmoid(x[i]);
  },
});

/** The k numbers of largest absolute value at each place, the others 0. @param {Layer} layer @returns {Runner} */
function topk(layer) {
  const [K, k] = [/** @type {number} */ (layer.in.at(-1)), /** @type {number} */ (layer.k)];
  const run = /** @type {Run} */ (
    ([x], y) => {
      y.fill(0);
      for (let at = 0; at < x.length; at += K) {
        const order = Array.from({ length: K }, (_, i) => at + i);
        order.sort((a, b) => Math.abs(x[b]) - Math.abs(x[a]));
        for (const i of order.slice(0, k)) y[i] = x[i];
      }
    }
  );
  return { run };
}

/** Numbers squashed to (-1, 1) and rounded to one of the levels. @param {Layer} layer @returns {Runner} */
function fsq(layer) {
  const top = /** @type {number} */ (layer.levels) - 1;
  const run = /** @type {Run} */ (
    ([x], y) => {
      for (let i = 0; i < y.length; i += 1) {
        y[i] = (rounded(((Math.fround(Math.tanh(x[i])) + 1) * top) / 2) * 2) / top - 1;
      }
    }
  );
  return { run };
}

/**
 * Each group of numbers replaced by the nearest entry of its codebook.
 * @param {Layer} layer @param {Tensors} tensors @returns {Runner}
 */
function vq(layer, tensors) {
  const book = tensors.reader(layer.weights.entries);
  const [groups, entries, width] = layer.weights.entries.shape;
  const run = /** @type {Run} */ (
    ([x], y) => {
      const all = book();
      for (let at = 0, g = 0; at < x.length; at += width, g = (g + 1) % groups) {
        const from = nearest(x, at, all, g * entries * width, entries, width);
        for (let j = 0; j < width; j += 1) y[at + j] = all[from + j];
      }
    }
  );
  return { run };
}

/**
 * Where the nearest of some entries begins.
 * @param {Float32Array} x @param {number} at @param {Float32Array} book @param {number} from @param {number} entries
 * @param {number} width
 */
function nearest(x, at, book, from, entries, width) {
  let [best, least] = [from, Infinity];
  for (let e = from; e < from + entries * width; e += width) {
    let distance = 0;
    for (let j = 0; j < width; j += 1) distance += (x[at + j] - book[e + j]) ** 2;
    if (distance < least) [best, least] = [e, distance];
  }
  return best;
}

/** @type {Record<string, (layer: Layer, tensors: Tensors) => Runner>} */
export const OPS = {
  reshape: same,
  dense,
  conv1d: convolution,
  conv2d: convolution,
  convt1d: transposed,
  convt2d: transposed,
  movedim,
  concat,
  steps,
  join,
  position,
  lstm,
  sigmoid: squash,
  topk,
  fsq,
  vq,
};
