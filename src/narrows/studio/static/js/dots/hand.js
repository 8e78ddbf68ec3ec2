/**
 * What the reader holds: a code, whether an object's own or one moved by hand, and what the decoder makes of it.
 *
 * All of it follows at once, within the event that moved the code; the painters of output listen to `output`.
 */

import { batch, computed, effect, signal } from "@preact/signals-core";
import { api } from "narrows/state/api";
import { Codes, codeLength } from "narrows/nn/codes";
import { unhalved } from "narrows/state/half";
import { along, direct, directions, firstTwo, neighbourly } from "narrows/dots/plane";
import { Projection } from "narrows/state/projection";

/** @type {WeakMap<object, Hand>} */
const hands = new WeakMap();

/** The hand of a studio: there is one, on its first run. @param {any} studio */
export function handOf(studio) {
  let hand = hands.get(studio);
  if (!hand) hands.set(studio, (hand = new Hand(studio)));
  return hand;
}

export class Hand {
  /** @param {any} studio */
  constructor(studio) {
    this.studio = studio;
    /** The code of the chosen object, or null until it is known. */
    this.own = signal(/** @type {Float32Array | null} */ (null));
    /** The scaled values of the chosen object. */
    this.object = signal(/** @type {Float32Array | null} */ (null));
    /** What the decoder makes of the code. */
    this.output = signal(/** @type {Float32Array | null} */ (null));
    this.codes = signal(/** @type {Codes | null} */ (null));
    this.tsne = new Projection(studio, "tsne");
    /** The places that the map shows: as the server streams them, or the projection that was chosen. */
    this.points = computed(() => this.pointsNow());
    this.twin = computed(() => studio.run.value?.model.value?.twin() ?? null);
    /** The code that is held: that of the chosen object with what was moved by hand. */
    this.code = computed(() => this.joined(this.own.value, studio.override.value));
    this.moved = computed(() => Object.keys(studio.override.value).length > 0);
    /** The code that the last drag began with. */
    this.held = new Float32Array(0);
    this.plane = computed(() => this.planeNow());
    /** Where the held code lies on the map, or null. */
    this.at = computed(() => (this.code.value && this.plane.value?.placeOf(this.code.value)) ?? null);
    this.asked = false;
    effect(() => this.follow(studio.run.value));
    effect(() => void this.read(studio.run.value, studio.object.value ?? 0, studio.run.value?.weights.value, this.twin.value));
    effect(() => this.decode(this.code.value, studio.run.value?.weights.value));
  }

  /** @param {import("narrows/state/run").Run | null} run */
  follow(run) {
    this.codes.peek()?.close();
    batch(() => {
      this.own.value = this.object.value = this.output.value = null;
      this.codes.value = run && new Codes(run);
    });
  }

  async read(run, index, weights, twin) {
    if (!run?.graph.value || !(index < run.detail.value?.objects?.count)) return;
    const values = await run.object(index).catch(() => null);
    if (!values || run !== this.studio.run.value || index !== (this.studio.object.value ?? 0)) return;
    batch(() => {
      this.object.value = values;
      if (twin && weights) this.own.value = twin.encode(values).z.slice();
    });
  }

  /** @param {Float32Array | null} own @param {Record<number, number>} override */
  joined(own, override) {
    const graph = this.studio.run.value?.graph.value;
    if (!graph) return null;
    const length = codeLength(graph);
    const numbers = Object.entries(override).filter(([d]) => Number(d) < length);
    if (!own && numbers.length < length) return null;
    const code = own?.slice() ?? new Float32Array(length);
    numbers.forEach(([d, value]) => (code[Number(d)] = value));
    return code;
  }

  /** @returns {import("narrows/state/run").Points | null} */
  pointsNow() {
    const points = this.studio.run.value?.points.value ?? null;
    if (points?.projection !== "pca") return points;
    const wished = this.studio.projection.value;
    if (wished === "tsne") return this.tsne.points.value ?? points;
    const known = wished === "two" ? this.codes.value?.known.value : null;
    return known ? { ...points, ...firstNumbers(known), projection: "two", all: known.count === points.count } : points;
  }

  planeNow() {
    const run = this.studio.run.value;
    const points = this.points.value;
    const graph = run?.graph.value;
    if (!points || !graph) return null;
    const length = codeLength(graph);
    if (points.projection === "two") return firstTwo(() => this.base());
    if (points.projection === "code") return length === 1 ? along : direct;
    const known = this.codes.value?.known.value;
    if (!known || known.size !== length) return null;
    const few = { ...known, count: Math.min(known.count, points.count, points.projection === "pca" ? 300 : known.count) };
    return points.projection === "pca" ? directions(few, points.xy, () => this.base()) : neighbourly(few, points.xy);
  }

  /** The code that a drag moves from. */
  base() {
    return this.held.length ? this.held : (this.own.peek() ?? this.held);
  }

  /** Take hold of the code as it is. */
  grasp() {
    this.held = this.code.peek()?.slice() ?? new Float32Array(codeLength(this.studio.run.peek().graph.peek()));
  }

  /** Move the code to a place on the map. @param {import("narrows/dots/plane").At} at */
  drag(at) {
    const plane = this.plane.peek();
    if (plane) this.hold(plane.codeAt(at));
  }

  /** Hold a code. @param {ArrayLike<number>} code */
  hold(code) {
    this.studio.override.value = Object.fromEntries(Array.from(code, (value, d) => [d, value]));
  }

  /** Choose an object and let go of what was moved. @param {number} index */
  choose(index) {
    batch(() => {
      this.studio.object.value = index;
      this.studio.override.value = {};
    });
  }

  /** @param {Float32Array | null} code */
  decode(code, weights) {
    const twin = this.twin.value;
    if (!code) return;
    if (twin && weights) this.output.value = twin.decode(code).y.slice();
    else if (this.studio.run.peek()?.graph.peek()?.remote) void this.askDecoder();
  }

  /** The server decodes for a model too large for the page; only the newest code matters. */
  async askDecoder() {
    if (this.asked) return;
    this.asked = true;
    for (let code = null; code !== this.code.peek(); ) {
      code = this.code.peek();
      const run = this.studio.run.peek();
      const values = await decodeThere(run, code).catch(() => null);
      if (values && run === this.studio.run.peek()) this.output.value = values;
    }
    this.asked = false;
  }
}

/** The first two numbers of longer codes as places. @param {import("narrows/nn/codes").Known} known */
function firstNumbers({ count, size, values, step }) {
  const xy = new Float32Array(2 * count);
  for (let i = 0; i < count; i += 1) xy.set([values[i * size], values[i * size + 1]], 2 * i);
  return { count, xy, step };
}

/** @param {import("narrows/state/run").Run} run @param {Float32Array} code */
async function decodeThere(run, code) {
  const step = run.scrubbed.peek();
  const body = halved(code);
  const path = `runs/${run.id}/decode${step === null ? "" : `?step=${step}`}`;
  const { bytes } = await api.whole(path, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
  return unhalved(new Uint16Array(bytes));
}

/** Numbers as float16 patterns. @param {Float32Array} values */
function halved(values) {
  const bits = new Uint32Array(1);
  const number = new Float32Array(bits.buffer);
  return Uint16Array.from(values, (value) => {
    number[0] = value;
    const sign = (bits[0] >>> 16) & 0x8000;
    const size = Math.abs(value);
    if (size >= 65520) return sign | 0x7bff;
    if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
    return sign | (((bits[0] & 0x7fffffff) + 0x1000 - 0x38000000) >>> 13);
  });
}
