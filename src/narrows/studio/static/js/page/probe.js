/** What the page says of itself to whoever measures it: `window.__probe`. */

import { beat } from "narrows/page/beat";

const drags = new Float64Array(600);
let dragged = 0;
/** @type {string[]} */
const errors = [];

/** Set by the views: what is under the pointer, what was decoded last, which snapshot is shown. */
export const told = {
  hoveredId: /** @type {number | null} */ (null),
  decodedId: /** @type {string | number | null} */ (null),
  snapshot: /** @type {number | null} */ (null),
  firstVisibleMs: /** @type {number | null} */ (null),
};

/**
 * Say how long a drag took from its pointer event to the decoded picture, in milliseconds.
 * @param {number} ms
 */
export function tellDrag(ms) {
  drags[dragged % drags.length] = ms;
  dragged += 1;
}

let asked = 0;
let seen = /** @type {number | null} */ (null);

/** Training was asked for: what is seen of it first is timed from now. @param {number | null} step What is seen now. */
export function tellAsked(step) {
  asked = performance.now();
  seen = step;
  told.firstVisibleMs = null;
}

/** The model was painted as it was at a step. @param {number} step */
export function tellVisible(step) {
  if (step !== seen) told.firstVisibleMs ??= performance.now() - asked;
}

/**
 * @param {Float64Array} values
 * @param {number} count
 * @param {number} share
 */
function quantile(values, count, share) {
  const kept = values.slice(0, Math.min(count, values.length)).sort();
  return kept.length ? kept[Math.min(kept.length - 1, Math.floor(share * kept.length))] : null;
}

export function installProbe() {
  addEventListener("error", (event) => errors.push(String(event.message)));
  addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
  const readings = {
    frames: () => beat.frames,
    jsMsP50: () => quantile(beat.costs, beat.frames, 0.5),
    jsMsP95: () => quantile(beat.costs, beat.frames, 0.95),
    dragMsP95: () => quantile(drags, dragged, 0.95),
    errors: () => errors,
    hoveredId: () => told.hoveredId,
    decodedId: () => told.decodedId,
    snapshot: () => told.snapshot,
    firstVisibleMs: () => told.firstVisibleMs,
  };
  const probe = { forget: () => void (beat.frames = dragged = 0) };
  Object.entries(readings).forEach(([name, get]) => Object.defineProperty(probe, name, { get, enumerable: true }));
  Object.defineProperty(window, "__probe", { value: probe });
}
