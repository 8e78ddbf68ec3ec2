/**
 * What moves in the hourglass: one model, one object, and the canvases that show what happens between them.
 *
 * It paints at most once a frame, and only what can have changed: while a number of the code is dragged the encoder rests.
 */

import { computed, effect, signal } from "@preact/signals-core";
import { onFrame } from "narrows/page/beat";
import { codeRanges, firstObjects } from "narrows/nn/census";
import { drawLost, drawObject } from "narrows/draw/draw";
import { inputOf } from "narrows/nn/inputs";
import { sameLayers } from "narrows/state/keep";
import { exampleObjects, untrained } from "narrows/page/previewed";
import { paintPlate, ramp, Scale } from "narrows/build/plates";
import { Reach } from "narrows/build/reach";
import { tellDrag, tellVisible, told } from "narrows/page/probe";
import { Surveys } from "narrows/nn/surveys";

/**
 * @typedef {import("narrows/build/plates").Plate} Plate
 * @typedef {{canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, plate: Plate, part: string, scale: number,
 *   steady: Scale, image: ImageData | null, colours: Uint32Array}} Shown
 * @typedef {import("narrows/build/plates").Hit & {name: string, box: import("narrows/build/plates").Box}} Hover
 * @typedef {import("narrows/nn/census").Ranges} Ranges
 * @typedef {{run: any, model: any, objects: Float32Array[]}} Subject A model, and the run whose it is or some objects.
 */

/** A pass that takes longer than this is not painted with all new weights, but for this share of the time. */
const SLOW_MS = 6;
const SHARE = 0.12;
const CENSUS = 96;
const CENSUS_MS = 1500;

/** Colours of the parts, in which the plates of their layers are painted. */
const COLOUR = { encoder: "encoder", bottleneck: "code", decoder: "decoder" };

export class Glass {
  /** @param {import("narrows/state/studio").Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** @type {Map<string, Shown>} */
    this.shown = new Map();
    /** @type {Map<string, HTMLCanvasElement>} */
    this.pictures = new Map();
    /** The unit under the pointer or the keys. */
    this.hover = signal(/** @type {Hover | null} */ (null));
    /** The number of the code that is in hand. */
    this.held = signal(/** @type {number | null} */ (null));
    /** What was seen in the last painting: {index, error, step}. */
    this.seen = signal(/** @type {{index: number, error: number, step: number} | null} */ (null));
    /** Where the numbers of the code lie for objects it has not seen. */
    this.ranges = signal(/** @type {Ranges | null} */ (null));
    /** From where to where each of them is dragged. */
    this.reach = new Reach();
    /** The object shown: under the pointer, else chosen, else the first. */
    this.index = computed(() => studio.hovered.value ?? studio.object.value ?? 0);
    /** The graph on the drawing: that of the run, or of the recipe on the table once that is another. */
    this.drawn = computed(() => drawnOf(studio.graph.value, studio.changed.value ? studio.preview.value?.graph : null));
    /** The untrained network of the recipe on the table, with some objects. */
    this.plan = computed(() => ({ run: null, model: untrained(studio.preview.value), objects: exampleObjects(studio.preview.value) }));
    /**
     * What is shown: the model of the run once there is one of the drawn layers, else the untrained network.
     * @type {import("@preact/signals-core").ReadonlySignal<Subject>}
     */
    this.subject = computed(() => {
      const run = studio.run.value;
      const model = run?.model.value ?? null;
      return model && model.graph === this.drawn.value ? { run, model, objects: [] } : this.plan.value;
    });
    /** Which value of the opened unit: its place, its way and its gate. */
    this.place = signal(/** @type {import("narrows/build/plates").Hit | null} */ (null));
    /** @type {((pass: any, own: Float32Array) => void) | null} */
    this.onCode = null;
    this.object = /** @type {{model: any, run: any, index: number, values: Float32Array, input: Float32Array} | null} */ (null);
    this.surveys = new Surveys(this);
    this.dragged = this.cost = this.paintedAt = this.timer = 0;
    this.fresh = true;
    this.paint = this.paint.bind(this);
  }

  /** Follow the studio; gives what ends it. */
  follow() {
    const { studio } = this;
    const stops = [
      effect(() => this.takeModel(this.subject.value.model, studio.run.value?.weights.value)),
      effect(() => void this.takeObject(this.subject.value, this.index.value)),
      effect(() => void (studio.override.value === this.painted || onFrame(this.paint))),
      effect(() => void (studio.dark.value, this.recolour())),
    ];
    const clock = setInterval(() => this.beginCensus(), CENSUS_MS);
    return () => (stops.forEach((stop) => stop()), clearInterval(clock), clearTimeout(this.timer));
  }

  /** @param {any} model @param {{step: number} | null | undefined} weights */
  takeModel(model, weights) {
    if (model !== this.source) {
      this.source = model;
      this.model = model?.twin() ?? null;
      this.own = model ? new Float32Array(model.z.length) : null;
      this.ranges.value = null;
      this.reach.forget();
      this.counted = -1;
    }
    this.step = weights?.step ?? 0;
    this.fresh = true;
    if (model && !this.ranges.peek()) this.beginCensus();
    this.paintInTurn();
  }

  /** @param {Subject} subject @param {number} index */
  async takeObject(subject, index) {
    const { run, model, objects } = subject;
    if (!model || (this.object?.model === model && this.object.index === index)) return;
    const given = run ? await Promise.all([run.object(index), inputOf(run, index)]).catch(() => []) : [objects[index % (objects.length || 1)]];
    const [values, input = values] = given;
    if (!values?.length || this.index.peek() !== index || this.subject.peek() !== subject) return;
    this.object = { model, run, index, values, input };
    this.fresh = true;
    onFrame(this.paint);
  }

  /** Paint with new weights, but give a large model no more than its share of the time; what the reader does is painted at once. */
  paintInTurn() {
    const wait = this.cost < SLOW_MS ? 0 : this.paintedAt + this.cost / SHARE - performance.now();
    clearTimeout(this.timer);
    if (wait <= 0) onFrame(this.paint);
    else this.timer = setTimeout(() => onFrame(this.paint), wait);
  }

  recolour() {
    this.shown.forEach((shown) => (shown.colours = ramp(shown.part)));
    this.fresh = true;
    onFrame(this.paint);
  }

  /**
   * Show a layer on a canvas.
   * @param {string} name @param {HTMLCanvasElement | null} canvas @param {Plate} plate @param {string} part
   */
  attach(name, canvas, plate, part) {
    if (!canvas) {
      this.shown.delete(name);
      return;
    }
    const [w, h] = [Math.max(1, Math.round(plate.width * plate.ratio)), Math.max(1, Math.round(plate.height * plate.ratio))];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const colour = COLOUR[part];
    const steady = this.shown.get(name)?.steady ?? new Scale();
    this.shown.set(name, { canvas, context, plate, part: colour, scale: 1, steady, image: null, colours: ramp(colour) });
    this.fresh = true;
    onFrame(this.paint);
  }

  /**
   * Show the input, the output or what was lost.
   * @param {"input"|"output"|"lost"} role
   * @param {HTMLCanvasElement | null} canvas
   */
  picture(role, canvas) {
    if (canvas) this.pictures.set(role, canvas);
    else this.pictures.delete(role);
    this.fresh = true;
    onFrame(this.paint);
  }

  /** Whether there is something to show. */
  get ready() {
    const { model, object, source } = this;
    return Boolean(model && object && object.model === source && model.graph === this.drawn.peek());
  }

  paint() {
    if (!this.ready) return;
    const { model, studio } = this;
    const began = performance.now();
    const { values, input } = /** @type {any} */ (this.object);
    const whole = this.fresh;
    if (whole) {
      model.encode(input);
      /** @type {Float32Array} */ (this.own).set(model.z);
      this.reach.meet(model.z, model.graph.code.size);
    } else model.z.set(this.own);
    this.painted = studio.override.peek();
    clamp(model.z, this.painted, model.graph.code.size);
    const pass = model.rest();
    this.shown.forEach((shown, name) => this.paintShown(shown, name, pass, whole));
    this.paintPictures(input, values, pass.y, whole);
    this.onCode?.(pass, /** @type {Float32Array} */ (this.own));
    this.fresh = false;
    this.paintedAt = performance.now();
    if (whole) this.cost = this.paintedAt - began;
    this.tell(values, pass.y);
  }

  /** @param {Shown} shown @param {string} name @param {any} pass @param {boolean} whole */
  paintShown(shown, name, pass, whole) {
    if (!whole && shown.part === "encoder") return;
    const { context, plate, steady } = shown;
    shown.scale = steady.follow((plate.bars ?? plate.fields[0]).pick(pass));
    paintPlate(context, plate, pass, shown);
  }

  /**
   * @param {Float32Array} seen What the encoder was shown.
   * @param {Float32Array} x What was to come out.
   * @param {Float32Array} y
   * @param {boolean} whole
   */
  paintPictures(seen, x, y, whole) {
    const { graph } = this.model;
    const [input, output, lost] = ["input", "output", "lost"].map((role) => this.pictures.get(role));
    if (input && whole) drawObject(input, graph, seen);
    if (output) drawObject(output, graph, y);
    if (lost) drawLost(lost, graph, x, y);
  }

  /** @param {Float32Array} x @param {Float32Array} y */
  tell(x, y) {
    const index = /** @type {any} */ (this.object).index;
    this.seen.value = { index, error: distance(x, y), step: this.step };
    told.decodedId = index;
    tellVisible(this.step);
    if (this.dragged) tellDrag(performance.now() - this.dragged);
    this.dragged = 0;
  }

  /**
   * Hold a number of the code at a value, or let it go.
   * @param {number} unit
   * @param {number | null} value
   * @param {number} [since] Time of the event.
   */
  hold(unit, value, since = 0) {
    const { [unit]: _, ...others } = this.studio.override.peek();
    this.dragged ||= since;
    this.studio.override.value = value === null ? others : { ...others, [unit]: value };
    // A drag is answered within its own event, so that it is seen in the same frame.
    if (since) this.paint();
  }

  /** Take a number in hand: until the pointer lets go of it, its ends stay where they are. @param {number} unit */
  grip(unit) {
    this.held.value = this.reach.kept = unit;
    const letGo = new AbortController();
    const free = () => ((this.reach.kept = null), letGo.abort());
    for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, free, { signal: letGo.signal });
  }

  /** Find out where the numbers of the code lie, for sliders of a fitting length. */
  async beginCensus() {
    const { source, step } = this;
    if (!this.ready || this.counting || this.counted === step) return;
    const { run } = /** @type {any} */ (this.object);
    if (!run) return;
    this.counting = true;
    this.counter = this.counter?.tensors === source.tensors ? this.counter : source.twin();
    const objects = await firstObjects(run, CENSUS).catch(() => []);
    const wanted = () => this.source === source;
    const ranges = objects.length ? await codeRanges(this.counter, objects, wanted) : null;
    this.counting = false;
    if (!ranges || !wanted()) return;
    this.counted = step;
    this.reach.settle(ranges);
    this.ranges.value = ranges;
  }
}

/** The graph that trains, unless the recipe on the table has other layers. @param {any} trained @param {any} plan */
const drawnOf = (trained, plan) => (plan && !sameLayers(trained, plan) ? plan : trained);

/**
 * Hold numbers of a code at values, at every place of its grid.
 * @param {Float32Array} z @param {Record<number, number>} override @param {number} size
 */
export function clamp(z, override, size) {
  for (const [unit, value] of Object.entries(override)) {
    for (let at = Number(unit); at < z.length && Number(unit) < size; at += size) z[at] = value;
  }
}

/** The mean squared difference. @param {ArrayLike<number>} x @param {ArrayLike<number>} y */
export function distance(x, y) {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) sum += (x[i] - y[i]) ** 2;
  return sum / x.length;
}
