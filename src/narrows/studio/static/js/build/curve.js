/** How the loss falls: training and validation, with PCA and the mean as the marks to beat. */

import UPlot from "uplot";
import { Segments, short } from "narrows/page/controls";
import { css, token } from "narrows/draw/draw";
import { onFrame } from "narrows/page/beat";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue, useWidth } from "narrows/page/html";
import { comparable, mseOf } from "narrows/build/measure";

const HEIGHT = 168;
const MOST_POINTS = 400;
const SCALES = [
  { value: "log", label: "log", title: "Equal steps are equal factors" },
  { value: "linear", label: "linear", title: "Equal steps are equal differences" },
];

/** @param {{studio: import("narrows/state/studio").Studio}} given */
export function Curve({ studio }) {
  const run = useValue(studio.run);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  const detail = useValue(() => studio.run.value?.detail.value ?? null);
  const dark = useValue(studio.dark);
  const [scale, setScale] = useState("log");
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(host);
  const fair = detail && comparable(detail.recipe);
  const lines = fair && baseline ? linesOf(baseline, detail.recipe.bottleneck.size) : [];
  const plot = usePlot(host, run, { width, scale, dark, lines });
  return html`<section class="curve" aria-label="Loss">
    <div class="heading"><h2>${fair === false ? "Loss" : "Error"}</h2>
      <${Segments} label="Scale of the error" kind="small" choices=${SCALES} value=${scale} onChange=${setScale} /></div>
    <div class="plot" ref=${host} role="img" aria-label="The loss while it learns"></div>
    <p class="keys"><span class="key-train">training</span><span class="key-valid">validation</span>${!plot && html`<span
      class="quiet">begins with the training</span>`}</p>
  </section>`;
}

/** The marks to beat. @param {any} baseline @param {number} size */
function linesOf(baseline, size) {
  const marks = [
    { at: mseOf(baseline.pca), text: `PCA ${short(mseOf(baseline.pca))}` },
    { at: mseOf(baseline.mean), text: `mean ${short(mseOf(baseline.mean))}` },
  ];
  return marks.filter(({ at }) => at > 0 && size > 0);
}

/**
 * A plot that lives as long as its settings do and takes new numbers once a frame.
 * @param {{current: HTMLElement | null}} host @param {import("narrows/state/run").Run | null} run
 * @param {{width: number, scale: string, dark: boolean, lines: {at: number, text: string}[]}} look
 */
function usePlot(host, run, { width, scale, dark, lines }) {
  const [any, setAny] = useState(false);
  const marks = useRef(lines);
  const plot = useRef(/** @type {any} */ (null));
  marks.current = lines;
  useLayoutEffect(() => {
    if (!host.current || !run || width < 40) return undefined;
    plot.current = new UPlot(optionsOf(width, scale, marks), dataOf(run, marks.current), host.current);
    return () => (plot.current.destroy(), (plot.current = null));
  }, [run, width, scale, dark]);
  useEffect(() => {
    if (!run) return undefined;
    const draw = () => plot.current?.setData(dataOf(run, marks.current));
    const hear = () => (setAny(run.curve.peek().step.length > 0), onFrame(draw));
    const stops = [run.curve.subscribe(hear), run.epochs.subscribe(hear)];
    return () => stops.forEach((stop) => stop());
  }, [run]);
  useEffect(() => plot.current?.redraw(), [JSON.stringify(lines)]);
  return any;
}

/**
 * Steps, the loss of the batches (thinned by means), and that of the validation objects.
 * @param {import("narrows/state/run").Run} run
 * @param {{at: number}[]} lines They stretch the scale, by a point that is not drawn.
 */
function dataOf(run, lines) {
  const { step, loss } = thinned(run.curve.peek());
  const judged = run.epochs.peek();
  const last = step.at(-1) ?? 0;
  const perEpoch = run.detail.peek()?.steps ?? (judged.length ? last / judged.at(-1).epoch : 1);
  const valid = judged.map((one) => ({ step: one.step ?? Math.round(one.epoch * perEpoch), valid: one.valid })).filter((one) => one.valid !== null);
  const steps = [...new Set([...step, ...valid.map((one) => one.step)])].sort((a, b) => a - b);
  const [train, judge] = [new Map(step.map((s, i) => [s, loss[i]])), new Map(valid.map((one) => [one.step, one.valid]))];
  const range = lines.map(({ at }) => at);
  return [steps, steps.map((s) => train.get(s)), steps.map((s) => judge.get(s)), steps.map((_, i) => range[i])];
}

/** @param {import("narrows/state/run").Curve} curve */
function thinned({ step, loss }) {
  const every = Math.ceil(step.length / MOST_POINTS);
  if (every <= 1) return { step, loss };
  const thin = { step: /** @type {number[]} */ ([]), loss: /** @type {number[]} */ ([]) };
  for (let i = 0; i < step.length; i += every) {
    const part = loss.slice(i, i + every);
    thin.step.push(step[Math.min(step.length - 1, i + every - 1)]);
    thin.loss.push(part.reduce((a, b) => a + b, 0) / part.length);
  }
  return thin;
}

/** @param {number} width @param {string} scale @param {{current: {at: number, text: string}[]}} marks */
function optionsOf(width, scale, marks) {
  const [line, muted, code] = ["line", "muted", "code"].map((name) => css(token(name)));
  const font = `11px ${getComputedStyle(document.documentElement).getPropertyValue("--font")}`;
  const axis = { stroke: muted, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const values = (_, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick)));
  const whole = (_, ticks) => ticks.map((tick) => tick.toLocaleString("en"));
  return {
    width, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [8, 20, 0, 0],
    scales: { x: { time: false }, y: { distr: scale === "log" ? 3 : 1, range: (plot, low, high) => rangeOf(plot, low, high, marks.current) } },
    axes: [
      { ...axis, size: 22, grid: { show: false }, values: whole, space: 70 },
      { ...axis, size: 40, values, space: 26, splits: scale === "log" ? logSplits : undefined, filter: (_, ticks) => ticks },
    ],
    series: [
      {},
      { stroke: css(token("code"), 0.35), width: 1, points: { show: false }, spanGaps: true },
      { stroke: code, width: 2, points: { show: (plot, i, from, to) => to - from < 12, size: 5, fill: code, stroke: code }, spanGaps: true },
      { stroke: "transparent", width: 0, points: { show: false } },
    ],
    hooks: { draw: [(plot) => drawMarks(plot, marks.current)] },
  };
}

/**
 * From the lowest to the mark of the mean and a little more: the first steps would squeeze all the others.
 * @param {any} plot @param {number} low @param {number} high @param {{at: number}[]} marks @returns {[number, number]}
 */
function rangeOf(plot, low, high, marks) {
  const least = Math.min(low ?? 1, ...marks.map(({ at }) => at));
  const most = marks.length ? Math.min(high, 1.6 * Math.max(...marks.map(({ at }) => at))) : high;
  if (!(most > least) || !(least > 0)) return [least > 0 ? least * 0.9 : 1e-6, Math.max(1e-3, high ?? 1)];
  return [least * 0.9, Math.max(most, ...marks.map(({ at }) => at * 1.15)) * 1.05];
}

/** Round numbers on a logarithmic axis. @param {any} plot @param {number} _ @param {number} low @param {number} high */
function logSplits(plot, _, low, high) {
  const fine = high / low < 12 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : [1, 2, 5];
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    all.push(...fine.map((digit) => digit * 10 ** power));
  }
  const seen = all.filter((tick) => tick >= low && tick <= high);
  const every = Math.ceil(seen.length / 6);
  return seen.filter((_, i) => i % every === 0);
}

/** Dashed lines across the plot, each with its name. @param {any} plot @param {{at: number, text: string}[]} lines */
function drawMarks(plot, lines) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * ratio}px ${getComputedStyle(plot.root).fontFamily}`;
  // The chart leaves the pen as its axes had it.
  Object.assign(ctx, { textAlign: "right", textBaseline: "alphabetic", lineJoin: "round" });
  Object.assign(ctx, { strokeStyle: css(token("muted")), fillStyle: css(token("muted")), lineWidth: ratio });
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  const ys = lines.map(({ at }) => Math.round(plot.valToPos(at, "y", true)) + 0.5);
  for (const [i, { text }] of lines.entries()) {
    const y = ys[i];
    if (!(y > bbox.top && y < bbox.top + bbox.height)) continue;
    // Where another name stands just above, this one goes under its line.
    const crowded = ys.some((other) => other < y && y - other < 15 * ratio);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    named(ctx, text, bbox.left + bbox.width - 2 * ratio, y + (crowded ? 12 : -4) * ratio, ratio);
  }
  ctx.restore();
}

/** A name with a halo of paper: it stays readable over the curves. @param {CanvasRenderingContext2D} ctx */
function named(ctx, text, x, y, ratio) {
  ctx.save();
  ctx.setLineDash([]);
  Object.assign(ctx, { lineWidth: 4 * ratio, strokeStyle: css(token("paper"), 0.9) });
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  ctx.restore();
}
