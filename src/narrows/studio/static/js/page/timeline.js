/** Time as a line one can grab: the loss as a thread, snapshots as ticks. */

import { css, fitted, token } from "narrows/draw/draw";
import { short } from "narrows/page/controls";
import { html, useLayoutEffect, useRef, useValue, useWidth } from "narrows/page/html";
import { timed } from "narrows/page/beat";

const HEIGHT = 36;
const MARGIN = 6;

/** @param {{studio: import("narrows/state/studio").Studio}} given */
export function Timeline({ studio }) {
  const run = useValue(studio.run);
  const curve = useValue(() => studio.run.value?.curve.value ?? null);
  const snapshots = useValue(() => studio.run.value?.snapshots.value ?? NONE);
  const info = useValue(() => studio.run.value?.info.value ?? null);
  const step = useValue(studio.step);
  const dark = useValue(studio.dark);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const width = useWidth(canvas);
  const end = Math.max(info?.step ?? 0, curve?.step.at(-1) ?? 0, snapshots.at(-1)?.step ?? 0, 1);
  const x = (at) => MARGIN + (at / end) * (width - 2 * MARGIN);
  useLayoutEffect(() => {
    if (canvas.current && width) draw(fitted(canvas.current, width, HEIGHT), { curve, snapshots, x, at: step ?? end, width });
  }, [curve, snapshots, step, end, width, dark]);

  const scrub = timed((/** @type {any} */ event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const wished = ((event.clientX - box.left - MARGIN) / (box.width - 2 * MARGIN)) * end;
    studio.scrub(nearestStep(snapshots, wished, end));
  });
  const grab = (event) => {
    if (!snapshots.length) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    scrub(event);
  };
  const drag = (event) => event.currentTarget.hasPointerCapture(event.pointerId) && scrub(event);
  const keys = (event) => {
    const next = KEYS[event.key]?.(snapshots, step);
    if (next === undefined) return;
    event.preventDefault();
    studio.scrub(next);
  };
  return html`<canvas ref=${canvas} class="timeline" role="slider" tabindex=${run ? 0 : -1} aria-label="Time of the training"
    aria-valuemin="0" aria-valuemax=${end} aria-valuenow=${step ?? end} aria-valuetext=${spoken(snapshots, step, end)}
    onPointerDown=${grab} onPointerMove=${drag} onKeyDown=${keys}></canvas>`;
}

/** @type {import("narrows/state/run").Snapshot[]} */
const NONE = [];

/** @typedef {import("narrows/state/run").Snapshot[]} Snapshots */
/**
 * Each key's snapshot: a step, null for the newest.
 * @type {Record<string, (snapshots: Snapshots, step: number | null) => number | null>}
 */
const KEYS = {
  ArrowLeft: (snapshots, step) => snapshots[place(snapshots, step) - 1]?.step ?? snapshots[0]?.step ?? null,
  ArrowRight: (snapshots, step) => snapshots[place(snapshots, step) + 1]?.step ?? null,
  Home: (snapshots) => snapshots[0]?.step ?? null,
  End: () => null,
};

/** @param {Snapshots} snapshots @param {number | null} step */
function place(snapshots, step) {
  const at = step === null ? -1 : snapshots.findIndex((snapshot) => snapshot.step === step);
  return at < 0 ? snapshots.length : at;
}

/** @param {Snapshots} snapshots @param {number} wished @param {number} end */
function nearestStep(snapshots, wished, end) {
  const last = snapshots.at(-1)?.step ?? end;
  if (wished > (last + end) / 2 && wished > last) return null;
  const near = snapshots.reduce((best, one) => (Math.abs(one.step - wished) < Math.abs(best.step - wished) ? one : best));
  return near.step === end ? null : near.step;
}

/** @param {Snapshots} snapshots @param {number | null} step @param {number} end */
function spoken(snapshots, step, end) {
  if (step === null) return `newest, step ${short(end)}`;
  const snapshot = snapshots.find((one) => one.step === step);
  return `snapshot of step ${short(step)}${snapshot ? `, epoch ${snapshot.epoch}` : ""}`;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{curve: import("narrows/state/run").Curve | null, snapshots: Snapshots, x: (step: number) => number, at: number, width: number}} given
 */
function draw(context, { curve, snapshots, x, at, width }) {
  thread(context, curve, x);
  context.fillStyle = css(token("muted"));
  snapshots.forEach(({ step }) => context.fillRect(Math.round(x(step)) - 0.5, HEIGHT - 5, 1, 4));
  context.fillStyle = css(token("ink"));
  const here = Math.min(width - MARGIN, x(at));
  context.fillRect(here - 1, 1, 2, HEIGHT - 5);
  context.beginPath();
  context.arc(here, HEIGHT - 4.5, 4, 0, 2 * Math.PI);
  context.fill();
}

/**
 * The loss, on a logarithmic scale, as a thin line.
 * @param {CanvasRenderingContext2D} context @param {import("narrows/state/run").Curve | null} curve
 * @param {(step: number) => number} x
 */
function thread(context, curve, x) {
  if (!curve || curve.step.length < 2) return;
  const every = Math.max(1, Math.floor(curve.step.length / 600));
  const logs = curve.loss.map((loss) => Math.log(Math.max(loss, 1e-9)));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  context.beginPath();
  for (let i = 0; i < logs.length; i += every) {
    context.lineTo(x(curve.step[i]), 3 + (1 - (logs[i] - least) / (most - least || 1)) * (HEIGHT - 14));
  }
  context.strokeStyle = css(token("muted"));
  context.lineWidth = 1;
  context.stroke();
}
