/** The codes of a run's first objects, found in the page a few at a time, and found anew as the model learns. */

import { effect, signal } from "@preact/signals-core";
import { onFrame } from "narrows/page/beat";

const SLICE_MS = 4;
/** Codes enough to know how places hang on them, and to know neighbours by. */
const FEW = 300;
const MANY = 5000;
const REST_MS = 900;
const LOOKED_AT = 1000;

/** @typedef {import("narrows/dots/plane").Codes & {step: number}} Known `step`: of which weights the first of them are. */

export class Codes {
  /** @param {import("narrows/state/run").Run} run */
  constructor(run) {
    this.run = run;
    /** @type {import("@preact/signals-core").Signal<Known | null>} */
    this.known = signal(null);
    this.turn = 0;
    this.timer = 0;
    this.stop = effect(() => this.follow(run.points.value, run.weights.value, run.model.value, run.info.value.state));
  }

  /** Begin anew when the model is another, now if nothing is under way, else when that is done. */
  follow(points, weights, model, state) {
    const graph = this.run.graph.value;
    if (!points || !graph) return;
    if (codeLength(graph) <= 2 && points.projection === "code") return this.take(points, codeLength(graph));
    if (!model || !weights) return;
    const settled = !["running", "starting", "waiting"].includes(state);
    const stale = this.known.peek()?.step !== weights.step || (settled && this.known.peek()?.count < this.wanted(settled));
    if (!stale || this.timer || this.busy) return;
    this.timer = window.setTimeout(() => this.begin(settled), this.known.peek() && !settled ? REST_MS : 0);
  }

  wanted(settled) {
    return Math.min(settled ? MANY : FEW, this.run.points.value?.count ?? 0);
  }

  /** Codes of one or two numbers are what the points say themselves. */
  take({ xy, count, step }, size) {
    const values = size === 2 ? xy : Float32Array.from({ length: count }, (_, i) => xy[2 * i]);
    this.known.value = { count, size, values, step };
  }

  async begin(settled) {
    this.timer = 0;
    this.busy = true;
    const turn = (this.turn += 1);
    const model = this.run.model.value.twin();
    const step = this.run.weights.value?.step ?? 0;
    const count = this.wanted(settled);
    const size = model.z.length;
    const values = new Float32Array(count * size);
    let began = performance.now();
    for (let i = 0; i < count; i += 1) {
      const object = await this.run.object(i).catch(() => null);
      if (turn !== this.turn) return;
      if (!object) return void (this.busy = false);
      values.set(model.encode(object).z, i * size);
      if (performance.now() - began > SLICE_MS) began = await rested();
      // A first few are worth telling: a drag can begin.
      if (i + 1 === FEW && count > FEW) this.known.value = { count: FEW, size, values: values.subarray(0, FEW * size), step };
    }
    this.known.value = { count, size, values, step };
    this.busy = false;
    const { points, weights, info } = this.run;
    this.follow(points.value, weights.value, this.run.model.value, info.value.state);
  }

  close() {
    this.stop();
    this.turn += 1;
    clearTimeout(this.timer);
  }
}

/** Numbers of a whole code: those of one place times the places. @param {any} graph */
export const codeLength = ({ code: { size, grid = [] } }) => grid.reduce((all, side) => all * side, size);

/** @returns {Promise<number>} When the next frame is painted. */
const rested = () => new Promise((go) => onFrame(() => setTimeout(() => go(performance.now()), 0)));

/**
 * The range in which each number of the codes lies, a few extremes left out.
 * @param {import("narrows/dots/plane").Codes} codes
 * @returns {{low: number, high: number}[]}
 */
export function rangesOf({ count, size, values }) {
  return Array.from({ length: size }, (_, d) => {
    const column = [];
    for (let i = 0; i < Math.min(count, LOOKED_AT); i += 1) column.push(values[i * size + d]);
    const sorted = Float32Array.from(column).sort();
    const low = sorted[Math.floor(0.01 * sorted.length)];
    const high = sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))];
    const margin = Math.max(0.12 * (high - low), 1e-3);
    return { low: low - margin, high: high + margin };
  });
}
