/**
 * One frame for everything: whatever changed is painted once a frame, and what it cost is counted.
 *
 * Handlers wrapped in `timed` and tasks given to `onFrame` add up to the page's own JavaScript of a frame.
 */

const KEPT = 600;

/** @type {Set<() => void>} */
let tasks = new Set();
/** @type {Set<() => void>} */
let later = new Set();
let asked = false;
let spent = 0;

/** What the frames painted so far have cost: a ring of the last 600. */
export const beat = { frames: 0, costs: new Float64Array(KEPT) };

/**
 * Do `task` in the next frame, once however often it is asked for.
 * @param {() => void} task
 */
export function onFrame(task) {
  tasks.add(task);
  ask();
}

/**
 * Do `task` when the next frame's painters are through.
 * @param {() => void} task
 */
export function afterFrame(task) {
  later.add(task);
  ask();
}

/**
 * `handler`, its time added to the frame it belongs to.
 * @param {(...given: any[]) => void} handler
 * @returns {(...given: any[]) => void}
 */
export function timed(handler) {
  return (...given) => {
    const began = performance.now();
    try {
      handler(...given);
    } finally {
      spent += performance.now() - began;
    }
  };
}

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(paint);
}

function paint() {
  const began = performance.now();
  // A painter may ask for another painter of this frame (a signal it set); those that ask again wait a frame.
  const done = new Set();
  for (let more = true; more; ) {
    const now = [...tasks].filter((task) => !done.has(task));
    more = now.length > 0;
    now.forEach((task) => (tasks.delete(task), done.add(task), safely(task)));
  }
  const after = later;
  later = new Set();
  after.forEach(safely);
  beat.costs[beat.frames % KEPT] = spent + performance.now() - began;
  beat.frames += 1;
  spent = 0;
  asked = false;
  if (tasks.size || later.size) ask();
}

/** @param {() => void} task */
function safely(task) {
  try {
    task();
  } catch (problem) {
    // One painter that fails must not stop the others; the page hears of it as of any error.
    reportError(problem);
  }
}
