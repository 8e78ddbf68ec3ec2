/**
 * A trained model that runs in the page, by the graph that readout/graph.py makes.
 *
 * All arrays it gives are its own and are filled anew by its next call: copy what is to be kept, or use a `twin`.
 */

import { HEADS } from "narrows/nn/functions";
import { OPS, product } from "narrows/nn/ops";
import { Tensors } from "narrows/nn/tensors";

/**
 * @typedef {{part: "encoder"|"bottleneck"|"decoder", name: string, label: string, op: string, from: string[],
 *   in: number[], out: number[], activation: string, weights: Record<string, import("narrows/nn/tensors").Slot>,
 *   parameters: number, madds: number, kernel: number, stride: number, padding: number, transposed?: boolean,
 *   limit?: number, to?: string, hidden?: number, layers?: number, returns?: string, k?: number, levels?: number,
 *   chunk?: number}} Layer
 * @typedef {{version: number, shape: number[], kind: string, classes: string[], values: number, low: number,
 *   high: number, head: string, scale: {offset: number|number[], spread: number|number[]},
 *   code: {kind: string, size: number, grid: number[], layer: string}, count: number, parameters: number,
 *   madds: number, remote: boolean, layers: Layer[]}} Graph
 * @typedef {Record<string, Float32Array>} Trace The output of every layer by its name; "object" is the input.
 * @typedef {Record<string, import("narrows/nn/ops").Gates[]>} AllGates By the name of an LSTM.
 * @typedef {{z: Float32Array, y: Float32Array, trace: Trace, gates: AllGates}} Pass
 *   Code (*grid, K), output (D,) in scaled units, and what every layer gave.
 */

export class Model {
  /**
   * @param {Graph} graph
   * @param {Uint16Array | Float32Array} weights Numbers in the graph's order, as float16 patterns or as numbers.
   * @param {Tensors} [tensors] Those of another model of the same graph.
   */
  constructor(graph, weights, tensors = new Tensors(weights)) {
    this.graph = graph;
    this.tensors = tensors;
    /** @type {Trace} */
    this.trace = { object: new Float32Array(graph.values) };
    for (const layer of graph.layers) this.trace[layer.name] = new Float32Array(product(layer.out));
    this.steps = graph.layers.map((layer) => this.step(layer));
    /** @type {AllGates} */
    this.gates = {};
    this.steps.forEach(({ name, gates }) => gates && (this.gates[name] = gates));
    this.turn = 1 + graph.layers.findIndex(({ name }) => name === graph.code.layer);
    this.z = this.trace[graph.code.layer];
    this.y = new Float32Array(graph.values);
    this.finish = HEADS[graph.head];
    this.skips = this.skipNames().map((name) => this.trace[name]);
  }

  /** @param {Layer} layer */
  step(layer) {
    const { run, gates } = OPS[layer.op](layer, this.tensors);
    const inputs = layer.from.map((name) => this.trace[name]);
    return { name: layer.name, run, gates, inputs, out: this.trace[layer.name] };
  }

  /** Layers of the encoder that the decoder reads past the code. */
  skipNames() {
    const [before, after] = [this.graph.layers.slice(0, this.turn), this.graph.layers.slice(this.turn)];
    const early = new Set(before.map(({ name }) => name));
    return after.flatMap(({ from }) => from).filter((name) => early.has(name) && name !== this.graph.code.layer);
  }

  /** Take new weights; nothing is computed until they are needed. @param {Uint16Array | Float32Array} weights */
  update(weights) {
    this.tensors.update(weights);
  }

  /** Another model with the same weights, now and after each update, and arrays of its own. */
  twin() {
    return new Model(this.graph, this.tensors.values, this.tensors);
  }

  /** @param {number} first @param {number} last */
  run(first, last) {
    for (let i = first; i < last; i += 1) this.steps[i].run(this.steps[i].inputs, this.steps[i].out);
  }

  /** @returns {Pass} */
  get pass() {
    return { z: this.z, y: this.y, trace: this.trace, gates: this.gates };
  }

  /**
   * The code of a scaled object.
   * @param {ArrayLike<number>} x Scaled values, (D,).
   * @returns {Pass} `y` is that of an earlier call.
   */
  encode(x) {
    this.trace.object.set(x);
    this.run(0, this.turn);
    return this.pass;
  }

  /**
   * The object of a code; skips past the code count as zero.
   * @param {ArrayLike<number>} z (*grid, K)
   * @returns {Pass}
   */
  decode(z) {
    this.z.set(z);
    this.skips.forEach((skip) => skip.fill(0));
    return this.rest();
  }

  /**
   * A scaled object through the whole model.
   * @param {ArrayLike<number>} x (D,)
   * @param {{clamp?: Record<number, number | null>}} [options] `clamp`: values that units of the code are held at, at
   *   every place of its grid; null leaves a unit as it is.
   * @returns {Pass} `z` is the code the decoder read.
   */
  forward(x, { clamp = {} } = {}) {
    this.encode(x);
    const { size } = this.graph.code;
    for (const [unit, value] of Object.entries(clamp)) {
      if (value !== null) for (let at = Number(unit); at < this.z.length; at += size) this.z[at] = value;
    }
    return this.rest();
  }

  /** From the code to the output. @returns {Pass} */
  rest() {
    this.run(this.turn, this.steps.length);
    this.y.set(this.steps[this.steps.length - 1].out);
    this.finish(this.y);
    return this.pass;
  }

  /**
   * The output of one layer for a scaled object, with no more work than that needs.
   * @param {ArrayLike<number>} x (D,)
   * @param {string} name
   * @returns {Float32Array}
   */
  reach(x, name) {
    this.trace.object.set(x);
    this.run(0, 1 + this.steps.findIndex((step) => step.name === name));
    return this.trace[name];
  }

  /**
   * The codes of many objects.
   * @param {Float32Array} objects (count, D)
   * @param {Float32Array} [into] (count, *grid, K)
   * @returns {Float32Array}
   */
  encodeMany(objects, into) {
    return many(objects, this.graph.values, this.z.length, into, (x) => this.encode(x).z);
  }

  /**
   * The objects of many codes.
   * @param {Float32Array} codes (count, *grid, K)
   * @param {Float32Array} [into] (count, D)
   * @returns {Float32Array}
   */
  decodeMany(codes, into) {
    return many(codes, this.z.length, this.graph.values, into, (z) => this.decode(z).y);
  }
}

/**
 * @param {Float32Array} from @param {number} n @param {number} m @param {Float32Array | undefined} into
 * @param {(part: Float32Array) => Float32Array} f
 */
function many(from, n, m, into, f) {
  const count = from.length / n;
  const all = into ?? new Float32Array(count * m);
  for (let i = 0; i < count; i += 1) all.set(f(from.subarray(i * n, (i + 1) * n)), i * m);
  return all;
}

/**
 * Raw values as a model reads them: (raw - offset) / spread.
 * @param {ArrayLike<number>} raw Whole objects.
 * @param {Graph} graph
 * @param {Float32Array} [into]
 */
export function scaled(raw, { values, scale }, into = new Float32Array(raw.length)) {
  const [offset, spread] = [each(scale.offset), each(scale.spread)];
  for (let i = 0; i < raw.length; i += 1) into[i] = (raw[i] - offset(i % values)) / spread(i % values);
  return into;
}

/**
 * A model's values in the units of the data.
 * @param {ArrayLike<number>} x Whole objects.
 * @param {Graph} graph
 * @param {Float32Array} [into]
 */
export function unscaled(x, { values, scale }, into = new Float32Array(x.length)) {
  const [offset, spread] = [each(scale.offset), each(scale.spread)];
  for (let i = 0; i < x.length; i += 1) into[i] = x[i] * spread(i % values) + offset(i % values);
  return into;
}

/** @param {number | number[]} value @returns {(i: number) => number} */
const each = (value) => (Array.isArray(value) ? (i) => value[i] : () => value);
