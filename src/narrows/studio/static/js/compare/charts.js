/** How the errors fall, all in one chart; and what each size of code costs, with PCA beside it. */

import UPlot from "uplot";
import { onFrame } from "narrows/page/beat";
import { short } from "narrows/page/controls";
import { css, token } from "narrows/draw/draw";
import { passing } from "narrows/build/measure";
import { html, useEffect, useLayoutEffect, useRef, useValue } from "narrows/page/html";
import { useWidth } from "narrows/page/html";
import { columnCss, errorOf, errorsOf, LETTERS, nameOf } from "narrows/compare/marks";

const HEIGHT = 210;
const MOST_POINTS = 300;
/** Dots of the same size of code stand so far beside each other, in doublings. */
const BESIDE = 0.09;

/** @typedef {import("narrows/state/run").Run} Run */

/** @param {{studio: any, runs: Run[]}} given */
export function CurveChart({ studio, runs }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const dark = useValue(studio.dark);
  const signals = runs.flatMap((run) => [run.curve, run.epochs]);
  useChart(host, dark, runs, signals, curveOptions, curveData);
  return html`<section class="chart"><div class="heading"><h2>Error as they learn</h2><span class="aside">validation; training faint</span></div>
    <div class="plot" ref=${host} role="img" aria-label="Error of each configuration by step"></div><${Key} runs=${runs} /></section>`;
}

/** @param {{studio: any, runs: Run[]}} given */
export function SizeChart({ studio, runs }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const dark = useValue(studio.dark);
  const signals = runs.flatMap((run) => [run.epochs, run.baseline, run.detail]);
  useChart(host, dark, runs, signals, sizeOptions, sizeData);
  const curve = useValue(() => runs[0].baseline.value?.curve ?? [], [runs]);
  const aside = curve.length ? "dashed: PCA with as many numbers" : "PCA is being worked out";
  return html`<section class="chart"><div class="heading"><h2>Error against the size of the code</h2><span class="aside">${aside}</span></div>
    <div class="plot" ref=${host} role="img" aria-label="Error of each configuration by the numbers in its code, beside PCA"></div><${Key} runs=${runs} /></section>`;
}

function Key({ runs }) {
  return html`<p class="key">${runs.map((run, n) => html`<${Entry} key=${run.id} run=${run} n=${n} />`)}</p>`;
}

function Entry({ run, n }) {
  const name = useValue(() => nameOf(run), [run]);
  return html`<span style=${{ "--of": columnCss(n) }}><b>${LETTERS[n]}</b> ${name}</span>`;
}

/**
 * A chart that lives as long as its runs, width and theme do, and takes new numbers once a frame.
 * @param {{current: HTMLElement | null}} host
 */
function useChart(host, dark, runs, signals, options, data) {
  const width = useWidth(host);
  const plot = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    if (!host.current || width < 60) return undefined;
    plot.current = new UPlot(options(width, runs), data(runs), host.current);
    return () => (plot.current.destroy(), (plot.current = null));
  }, [runs, width, dark]);
  useEffect(() => {
    const draw = () => plot.current?.setData(data(runs));
    const stops = signals.map((cell) => cell.subscribe(() => onFrame(draw)));
    return () => stops.forEach((stop) => stop());
  }, [runs]);
}

/** What the two charts share. @param {number} width */
function frameOf(width) {
  const [line, muted] = ["line", "muted"].map((name) => css(token(name)));
  const font = `11px ${getComputedStyle(document.documentElement).getPropertyValue("--font")}`;
  const axis = { stroke: muted, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const values = (_, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick)));
  const common = { width, height: HEIGHT, legend: { show: false }, cursor: { show: false }, padding: [10, 24, 0, 0] };
  return { common, axis, errors: { ...axis, size: 46, values, splits: rounds } };
}

/** What is known of a range, or what stands in while nothing is. @param {number | null} value @param {number} other */
const known = (value, other) => (value !== null && Number.isFinite(value) ? value : other);

/** Errors by factors. */
const errorScale = { distr: 3, range: (_, least, most) => [known(least, 0.01) / 1.25, known(most, 1) * 1.25] };

function curveOptions(width, runs) {
  const { common, axis, errors } = frameOf(width);
  const dots = (n) => ({ show: (_, __, from, to) => to - from < 10, size: 5, fill: columnCss(n), stroke: columnCss(n) });
  return {
    ...common,
    scales: { x: { time: false }, y: errorScale },
    axes: [{ ...axis, size: 24, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en")), space: 70 }, errors],
    series: [
      {},
      ...runs.map((_, n) => ({ stroke: columnCss(n, 0.28), width: 1, points: { show: false }, spanGaps: true })),
      ...runs.map((_, n) => ({ stroke: columnCss(n), width: 2, points: dots(n), spanGaps: true })),
    ],
  };
}

/** Steps of all, then the training loss of each, then the validation error of each. @param {Run[]} runs */
function curveData(runs) {
  const losses = runs.map((run) => new Map(thinned(run.curve.peek())));
  const judged = runs.map((run) => new Map(errorsOf(run)));
  const steps = [...new Set([...losses, ...judged].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  return [steps, ...[...losses, ...judged].map((line) => steps.map((step) => line.get(step)))];
}

/** @param {import("narrows/state/run").Curve} curve @returns {[number, number][]} */
function thinned({ step, loss }) {
  const every = Math.max(1, Math.ceil(step.length / MOST_POINTS));
  /** @type {[number, number][]} */
  const found = [];
  for (let i = every - 1; i < step.length; i += every) {
    const part = loss.slice(i - every + 1, i + 1);
    found.push([step[i], part.reduce((a, b) => a + b, 0) / part.length]);
  }
  return found;
}

function sizeOptions(width, runs) {
  const { common, axis, errors } = frameOf(width);
  const dot = (n) => ({ stroke: "transparent", points: { show: true, size: 11, fill: columnCss(n), stroke: css(token("card")), width: 2 } });
  const muted = css(token("muted"));
  const pca = { stroke: muted, dash: [4, 4], width: 1.5, points: { show: true, size: 4, fill: muted }, spanGaps: true };
  return {
    ...common,
    scales: { x: { time: false, range: (_, least, most) => [known(least, 0) - 0.4, known(most, 6) + 0.4] }, y: errorScale },
    axes: [{ ...axis, size: 24, splits: doublings, values: (_, ticks) => ticks.map((tick) => `${2 ** tick}`) }, errors],
    series: [{}, pca, ...runs.map((_, n) => dot(n))],
  };
}

/** Ticks at round numbers: 1, 2 and 5 of each power of ten; powers alone where those would be too many. */
function rounds(plot, axis, least, most) {
  if (!(least > 0 && most < Infinity)) return [];
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const leading = last - first > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 1 }, (_, i) => leading.map((digit) => digit * 10 ** (first + i))).flat();
  return all.filter((tick) => tick >= least && tick <= most);
}

/** A tick for each doubling in sight. */
function doublings(plot, axis, least, most) {
  const first = Math.ceil(least);
  return Array.from({ length: Math.max(0, Math.floor(most) - first + 1) }, (_, i) => first + i);
}

/** Sizes in doublings, PCA's error at each, and the error of each run at its own. @param {Run[]} runs */
function sizeData(runs) {
  const pca = new Map((runs[0].baseline.peek()?.curve ?? []).filter(({ mse }) => mse > 0).map(({ size, mse }) => [Math.log2(size), mse]));
  const own = runs.map((run, n) => {
    const graph = run.graph.peek();
    const size = graph && passing(graph);
    const error = errorOf(run);
    return new Map(size && error > 0 ? [[Math.log2(size) + BESIDE * (n - (runs.length - 1) / 2), error]] : []);
  });
  const places = [...new Set([pca, ...own].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  return [places, ...[pca, ...own].map((line) => places.map((place) => line.get(place)))];
}
