/** From where to where a number of the code is dragged: ends that follow the code as it grows, but never under the hand. */

/** @typedef {import("narrows/nn/census").Ranges} Ranges */

/** To either side of the mean, in standard deviations. */
const SPREADS = 3;
const MARGIN = 0.08;
/** An end that a value has gone beyond is set so far beyond it, as a share of the whole. */
const AHEAD = 0.25;
/** Of the way back to a nearer end that is gone at a time. */
const BACK = 0.3;
const AT_FIRST = 3;

export class Reach {
  constructor() {
    /** @type {[number, number][]} */
    this.ends = [];
    /** The number whose ends stay, or null. @type {number | null} */
    this.kept = null;
  }

  /** @param {number} unit @returns {[number, number]} */
  of(unit) {
    return this.ends[unit] ?? [-AT_FIRST, AT_FIRST];
  }

  /** Begin anew, with another model. */
  forget() {
    this.ends = [];
  }

  /**
   * Values there are now: an end is moved at once where one is beyond it.
   * @param {ArrayLike<number>} values A code, or one at each place of a grid. @param {number} size Numbers of a code.
   */
  meet(values, size) {
    for (let i = 0; i < values.length; i += 1) {
      const unit = i % size;
      const [low, high] = this.of(unit);
      const value = values[i];
      if (unit === this.kept || (value >= low && value <= high) || !Number.isFinite(value)) continue;
      this.ends[unit] = [value < low ? value - AHEAD * (high - value) : low, value > high ? value + AHEAD * (value - low) : high];
    }
  }

  /** Where the values of many objects lie: out to there at once, back from beyond in steps. @param {Ranges} ranges */
  settle(ranges) {
    for (let unit = 0; unit < ranges.low.length; unit += 1) {
      if (unit === this.kept) continue;
      const [low, high] = wanted(ranges, unit);
      const before = this.ends[unit] ?? [low, high];
      const nearer = (from, to) => from + BACK * (to - from);
      this.ends[unit] = [low < before[0] ? low : nearer(before[0], low), high > before[1] ? high : nearer(before[1], high)];
    }
  }
}

/** @param {Ranges} ranges @param {number} unit @returns {[number, number]} */
function wanted({ low, high, mean, spread }, unit) {
  const margin = Math.max(1e-3, (high[unit] - low[unit]) * MARGIN);
  return [Math.min(low[unit] - margin, mean[unit] - SPREADS * spread[unit]), Math.max(high[unit] + margin, mean[unit] + SPREADS * spread[unit])];
}
