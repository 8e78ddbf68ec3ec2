/** What the units of a layer answer to the first objects of a run, asked when somebody wants to know. */

import { signal } from "@preact/signals-core";
import { firstObjects, inSlices } from "narrows/nn/census";
import { Survey } from "narrows/nn/survey";

const ASKED = 200;
const KEPT = 8;
/** While it learns, answers older than this are asked anew. */
const OLD_MS = 3000;

/** @typedef {{survey: Survey, objects: Float32Array[], step: number, at: number}} Answered */

export class Surveys {
  /** @param {import("narrows/build/glass").Glass} glass */
  constructor(glass) {
    this.glass = glass;
    /** The newest finished survey of each layer. @type {Map<string, import("@preact/signals-core").Signal<Answered | null>>} */
    this.done = new Map();
    /** @type {Set<string>} */
    this.asking = new Set();
    this.source = null;
  }

  /** The answers of a layer; null at first. @param {string} name */
  of(name) {
    if (this.source !== this.glass.source) {
      this.source = this.glass.source;
      this.done.clear();
    }
    const known = this.done.get(name) ?? signal(/** @type {Answered | null} */ (null));
    this.done.set(name, known);
    this.ask(name, known);
    return known;
  }

  /** @param {string} name @param {import("@preact/signals-core").Signal<Answered | null>} known */
  async ask(name, known) {
    const { glass, source } = this;
    const { step } = glass;
    const now = known.peek();
    const stale = !now || (now.step !== step && performance.now() - now.at > OLD_MS);
    if (!stale || this.asking.has(name) || !glass.ready) return;
    this.asking.add(name);
    const { run, objects: some } = glass.subject.peek();
    const objects = run ? await firstObjects(run, ASKED).catch(() => []) : some;
    const survey = new Survey(source.twin(), name, KEPT);
    const whole = await inSlices(objects.length, (i) => survey.add(objects[i], i), () => this.source === source);
    this.asking.delete(name);
    if (whole) known.value = { survey, objects, step, at: performance.now() };
  }
}
