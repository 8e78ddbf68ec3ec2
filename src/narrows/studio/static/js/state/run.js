/** One run as the page knows it: what the server said of it, and what it streams. */

import { batch, computed, signal } from "@preact/signals-core";
import { api } from "narrows/state/api";
import { placed, unpackAll } from "narrows/state/frames";
import { unhalved } from "narrows/state/half";
import { Model, scaled } from "narrows/nn/nn";

/** Objects fetched at a time: few, for one that is pointed at has to come at once. */
const CHUNK = 250;
/** Bytes fetched at a time at most; the server refuses more. */
const CHUNK_BYTES = 2 ** 24;
/** Objects kept as the model's numbers; the others are kept as they came. */
const RECENT = 512;
const BEGUN = ["running", "paused", "done"];

/**
 * @typedef {{step: number[], loss: number[]}} Curve
 * @typedef {{epoch: number, step?: number, train: number | null, valid: number | null, mse?: number, best?: boolean}} Epoch
 * @typedef {{step: number, epoch: number, valid: number | null}} Snapshot
 * @typedef {{step: number, count: number, all: boolean, projection: string, bounds: Float32Array, xy: Float32Array,
 *   packed: Uint16Array}} Points `xy` are numbers of the projection, `packed` the same as 0..65535 of `bounds`.
 * @typedef {{step: number, count: number, values: number, bytes: Uint8Array}} Tiles
 */

export class Run {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    /** The answer of GET /api/runs/ID; null until it is here. */
    this.detail = signal(/** @type {any} */ (null));
    /** What changes while it trains: state, epoch, step, rate_objects_a_second ... */
    this.info = signal(/** @type {any} */ ({ state: "unknown" }));
    this.curve = signal(/** @type {Curve} */ ({ step: [], loss: [] }));
    this.epochs = signal(/** @type {Epoch[]} */ ([]));
    this.snapshots = signal(/** @type {Snapshot[]} */ ([]));
    this.notices = signal(/** @type {{code: string, sentence: string}[]} */ ([]));
    this.baseline = signal(/** @type {any} */ (null));
    this.points = signal(/** @type {Points | null} */ (null));
    this.tiles = signal(/** @type {Tiles | null} */ (null));
    /** The live model, `weights` says of which step, and is what to listen to. */
    this.model = signal(/** @type {Model | null} */ (null));
    this.weights = signal(/** @type {{step: number} | null} */ (null));
    /** Class number of every object, -1 for none. */
    this.labels = signal(/** @type {Int16Array | null} */ (null));
    /** Step of the snapshot that is shown; null shows the newest. */
    this.scrubbed = signal(/** @type {number | null} */ (null));
    this.graph = computed(() => this.detail.value?.graph ?? null);
    /** @type {Map<string, import("narrows/state/frames").Frame>} */
    this.newest = new Map();
    /** @type {Map<number, Promise<Uint8Array | Uint16Array>>} */
    this.chunks = new Map();
    /** @type {Map<number, Float32Array>} */
    this.recent = new Map();
    /** @type {Promise<string[] | null> | null} */
    this.origins = null;
    /** @type {Promise<void> | null} */
    this.loading = null;
    /** @type {Promise<void> | null} */
    this.asking = null;
  }

  /** Read what the server knows; once. */
  load() {
    return (this.loading ??= this.reload().catch((problem) => {
      this.loading = null;
      throw problem;
    }));
  }

  async reload() {
    const detail = await api.get(`runs/${this.id}`);
    const { graph, history = {}, snapshots = [], notices = [], ...info } = detail;
    // The same graph stays the same object: the model and the drawing were made for it.
    if (JSON.stringify(graph) === JSON.stringify(this.graph.peek())) detail.graph = this.graph.peek();
    batch(() => {
      this.detail.value = detail;
      this.info.value = { ...this.info.value, ...info };
      this.baseline.value = detail.baseline ?? this.baseline.value;
      this.snapshots.value = merged(this.snapshots.value, snapshots, "step");
      this.notices.value = notices;
      if (history.step?.length) this.curve.value = joined({ step: history.step, loss: history.loss }, this.curve.value);
      this.epochs.value = merged(rows(history.epochs ?? {}), this.epochs.value, "epoch");
    });
    if (!graph) return;
    // Frames that came before the graph was known.
    this.newest.forEach((frame) => this.show(frame));
    const labels = await api.bytes(`runs/${this.id}/labels`);
    this.labels.value = new Int16Array(labels);
  }

  /**
   * Take in one run's part of an update.
   * @param {any} news
   */
  hear({ fresh, curve, judged, snapshots, dropped, notices, baseline, ...info }) {
    if (fresh) this.forget();
    if (Object.keys(info).length) this.info.value = { ...this.info.value, ...info };
    if (curve?.step.length) this.curve.value = joined(this.curve.value, curve);
    if (judged?.length) this.epochs.value = merged(this.epochs.value, judged.map(measured), "epoch");
    if (snapshots?.length) this.snapshots.value = merged(this.snapshots.value, snapshots, "step");
    if (dropped?.length) this.snapshots.value = this.snapshots.value.filter(({ step }) => !dropped.includes(step));
    if (notices?.length) this.notices.value = [...this.notices.value, ...notices].slice(-20);
    if (baseline) this.baseline.value = baseline;
    this.readGraph();
  }

  /** It is told from its beginning: the course known so far is put away. */
  forget() {
    this.curve.value = { step: [], loss: [] };
    this.epochs.value = [];
    this.snapshots.value = [];
    this.notices.value = [];
  }

  /** The layers are known a moment after a run begins: ask again once there is news of it. */
  readGraph() {
    const { state, step } = this.info.value;
    if (this.asking || !this.detail.value || this.graph.value || !(step > 0 || BEGUN.includes(state))) return;
    this.asking = this.reload().finally(() => (this.asking = null)).catch(() => {});
  }

  /**
   * Take in a frame of the live run; while the reader looks at a snapshot it waits.
   * @param {import("narrows/state/frames").Frame} frame
   */
  take(frame) {
    this.newest.set(frame.kind, frame);
    if (this.scrubbed.value === null) this.show(frame);
  }

  /** @param {import("narrows/state/frames").Frame} frame */
  show(frame) {
    if (frame.kind === "points") {
      const { xy: packed, ...rest } = frame;
      this.points.value = { ...rest, packed, xy: placed(frame) };
    } else if (frame.kind === "tiles") this.tiles.value = frame;
    else this.showWeights(frame);
  }

  /** @param {import("narrows/state/frames").WeightsFrame} frame */
  showWeights(frame) {
    const graph = this.graph.value;
    if (!graph || graph.remote) return;
    if (this.model.value) this.model.value.update(frame.values);
    else this.model.value = new Model(graph, frame.values);
    this.weights.value = { step: frame.step };
  }

  /**
   * Show a snapshot, or the newest again.
   * @param {number | null} step
   */
  async scrub(step) {
    this.scrubbed.value = step;
    if (step === null) return batch(() => this.newest.forEach((frame) => this.show(frame)));
    const frames = unpackAll(await api.bytes(`runs/${this.id}/snapshots/${step}`));
    if (this.scrubbed.value === step) batch(() => frames.forEach((frame) => this.show(frame)));
  }

  /** Points of all objects and the newest weights, for a run that does not stream. */
  async readLatest() {
    const last = this.snapshots.value.at(-1)?.step;
    // The last snapshot lies ready; all points have to be worked out by a child that may have to wake up first.
    const ready = last === undefined ? null : await api.bytes(`runs/${this.id}/snapshots/${last}`).catch(() => null);
    if (ready && !this.points.value) unpackAll(ready).forEach((frame) => this.take(frame));
    const [points, weights] = await Promise.all(
      ["points", "weights"].map((kind) => api.bytes(`runs/${this.id}/${kind}`).catch(() => null)),
    );
    [points, weights].forEach((bytes) => bytes && unpackAll(withLength(bytes)).forEach((frame) => this.take(frame)));
  }

  /**
   * One object as the model sees it.
   * @param {number} index
   * @returns {Promise<Float32Array>} Scaled values, (D,).
   */
  async object(index) {
    const kept = this.recent.get(index);
    if (kept) return kept;
    const size = chunkOf(this.graph.value.values);
    const chunk = Math.floor(index / size);
    if (!this.chunks.has(chunk)) this.chunks.set(chunk, this.readChunk(chunk * size, size));
    const raw = await /** @type {Promise<Uint8Array | Uint16Array>} */ (this.chunks.get(chunk));
    const graph = this.graph.value;
    const at = (index - chunk * size) * graph.values;
    const part = raw.subarray(at, at + graph.values);
    const values = part instanceof Uint8Array ? scaled(part, graph) : unhalved(part);
    if (this.recent.size >= RECENT) this.recent.delete(this.recent.keys().next().value);
    this.recent.set(index, values);
    return values;
  }

  /** @param {number} first @param {number} count */
  async readChunk(first, count) {
    const path = `runs/${this.id}/objects?first=${first}&count=${count}`;
    const { bytes, headers } = await api.whole(path);
    return headers.get("X-Dtype") === "uint8" ? new Uint8Array(bytes) : new Uint16Array(bytes);
  }

  /** Where an object comes from, or null. @param {number} index */
  async where(index) {
    this.origins ??= api.get(`runs/${this.id}/where`).catch(() => null);
    return (await this.origins)?.[index] ?? null;
  }
}

/** Objects of so many values that are fetched at a time. @param {number} values */
export function chunkOf(values) {
  return Math.max(1, Math.min(CHUNK, Math.floor(CHUNK_BYTES / (2 * values))));
}

/** @param {ArrayBuffer} bytes */
function withLength(bytes) {
  const whole = new Uint8Array(bytes.byteLength + 4);
  new DataView(whole.buffer).setUint32(0, bytes.byteLength, true);
  whole.set(new Uint8Array(bytes), 4);
  return whole.buffer;
}

/** An epoch of the server, its errors as numbers. @param {any} epoch @returns {Epoch} */
function measured({ train, valid, ...epoch }) {
  const error = (said) => (typeof said === "object" && said ? (said.loss ?? null) : said);
  return { ...epoch, train: error(train), valid: error(valid), mse: (typeof valid === "object" ? valid?.mse : null) ?? null };
}

/** The epochs of a history, which comes in columns. @param {Record<string, any[]>} columns @returns {Epoch[]} */
function rows(columns) {
  const names = Object.keys(columns);
  return (columns.epoch ?? []).map((_, i) => measured(Object.fromEntries(names.map((name) => [name, columns[name][i]]))));
}

/** @param {Curve} old @param {Curve} news */
function joined(old, news) {
  const last = old.step.at(-1) ?? -1;
  const from = news.step.findIndex((step) => step > last);
  if (from < 0) return old;
  return { step: old.step.concat(news.step.slice(from)), loss: old.loss.concat(news.loss.slice(from)) };
}

/**
 * @template {Record<string, any>} T
 * @param {T[]} old @param {T[]} news @param {string} key
 */
function merged(old, news, key) {
  const known = new Map([...old, ...news].map((item) => [item[key], item]));
  return [...known.values()].sort((a, b) => a[key] - b[key]);
}
