/** What the units of a layer answer over some objects: the strongest answers of each, and the units that are dead. */

import { unitsOf } from "narrows/nn/places";

/** A unit that varies less than this share of the most varied one is dead, as metrics/latent.py counts it. */
const DEAD_BELOW = 1e-3;

/** @typedef {{object: number, index: number, value: number}} Answer `index` is that of the value in the layer. */

export class Survey {
  /**
   * @param {import("narrows/nn/nn").Model} model A `twin`, if others use the model too.
   * @param {string} name The layer.
   * @param {number} [keep] Strongest answers kept of each unit.
   */
  constructor(model, name, keep = 12) {
    this.model = model;
    this.name = name;
    this.keep = keep;
    const layer = model.graph.layers.find((one) => one.name === name);
    if (!layer) throw new RangeError(`no layer ${name}`);
    this.units = unitsOf(layer);
    this.objects = 0;
    /** @type {Answer[][]} */
    this.best = Array.from({ length: this.units.count }, () => []);
    this.sums = new Float64Array(this.units.count);
    this.squares = new Float64Array(this.units.count);
  }

  /**
   * Ask one more object.
   * @param {ArrayLike<number>} x Scaled values, (D,).
   * @param {number} object Its number, as the answers tell it.
   */
  add(x, object) {
    const y = this.model.reach(x, this.name);
    this.objects += 1;
    for (let unit = 0; unit < this.units.count; unit += 1) {
      let best = this.units.at(unit, 0);
      for (let place = 0; place < this.units.places; place += 1) {
        const index = this.units.at(unit, place);
        this.sums[unit] += y[index];
        this.squares[unit] += y[index] ** 2;
        if (y[index] > y[best]) best = index;
      }
      insert(this.best[unit], { object, index: best, value: y[best] }, this.keep);
    }
  }

  /** Standard deviation of each unit over objects and places. */
  get spreads() {
    const count = this.objects * this.units.places;
    return this.sums.map((sum, unit) => Math.sqrt(Math.max(0, this.squares[unit] / count - (sum / count) ** 2)));
  }

  /** The units that hardly vary over the objects asked so far. @returns {number[]} */
  get dead() {
    const spreads = this.spreads;
    const least = DEAD_BELOW * Math.max(1e-12, ...spreads);
    return Array.from(spreads.keys()).filter((unit) => spreads[unit] <= least);
  }
}

/** Keep the `keep` largest in order. @param {Answer[]} answers @param {Answer} answer @param {number} keep */
function insert(answers, answer, keep) {
  if (answers.length === keep && answers[keep - 1].value >= answer.value) return;
  const at = answers.findIndex(({ value }) => value < answer.value);
  answers.splice(at < 0 ? answers.length : at, 0, answer);
  answers.length = Math.min(answers.length, keep);
}
