/** What noise does, and how odd ones are found: figures of many objects through the model. */

import { css, fitted, token } from "narrows/draw/draw";
import { Slider, short } from "narrows/page/controls";
import { Waiting, error, range, useModel, useObjects } from "narrows/learn/figures";
import { html, useLayoutEffect, useMemo, useRef, useState, useWidth } from "narrows/page/html";
import { Figure, Picture } from "narrows/draw/picture";

/** @typedef {{studio: import("narrows/state/studio").Studio}} Given */

/** Noise put on by hand: what goes in, what comes out. @param {Given & {onNoise?: () => void, count?: number}} given */
export function Noise({ studio, onNoise, count = 6 }) {
  const { run, graph, model, dark } = useModel(studio);
  const [sigma, setSigma] = useState(0.3);
  const objects = useObjects(run, graph, range(count));
  const noise = useMemo(() => (graph ? gaussian(count * graph.values, 7) : null), [graph, count]);
  if (!objects || !model) return html`<${Waiting} />`;
  const spread = sigma * (graph.high - graph.low);
  const noisy = objects.map((x, i) => x.map((value, d) => value + spread * noise[i * graph.values + d]));
  const clean = noisy.map((x) => Float32Array.from(model.forward(x).y));
  const row = (name, all) => html`<div class="row"><span>${name}</span>${all.map(
    (values, i) => html`<${Picture} look=${graph} values=${values} dark=${dark} label="${name} ${i + 1}" />`,
  )}</div>`;
  return html`<div class="pairs">
    <label class="amount">noise <${Slider} label="Amount of noise" min=${0} max=${1} step=${0.02} value=${sigma} ends=${false}
      show=${(v) => `${Math.round(100 * v)}%`} onInput=${(v) => (setSigma(v), onNoise?.())} /> ${Math.round(100 * sigma)}%</label>
    ${row("noisy", noisy)} ${row("out", clean)} ${row("clean", objects)}
    <p class="caption">Error against the clean original: noisy ${short(error(noisy, objects))}, out ${short(error(clean, objects))}.</p>
  </div>`;
}

/** Normal numbers from a seed (Box and Muller, 1958). @param {number} count @param {number} seed */
export function gaussian(count, seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** What may be done to an object to make it odd. @type {Record<string, (x: Float32Array, graph: any) => Float32Array>} */
const ODD = {
  "as it is": (x) => x,
  "upside down": (x) => Float32Array.from(x).reverse(),
  inverted: (x, { low, high }) => x.map((value) => low + high - value),
  scrambled: (x) => scrambled(x),
};

/** The same values in another order, always the same one. @param {Float32Array} x */
export function scrambled(x) {
  const keys = gaussian(x.length, 3);
  const order = range(x.length).sort((a, b) => keys[a] - keys[b]);
  return Float32Array.from(order, (i) => x[i]);
}

/** Errors of many objects as a histogram, and where an odd one falls. @param {Given & {onOdd?: (how: string) => void}} given */
export function OddOnes({ studio, onOdd }) {
  const { run, graph, model, weights, dark } = useModel(studio);
  const [how, setHow] = useState("as it is");
  const count = Math.min(120, run?.detail.value?.objects?.count ?? 0);
  const objects = useObjects(run, graph, range(count));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const width = useWidth(canvas);
  const errors = useMemo(() => (objects && model ? objects.map((x) => error([x], [model.forward(x).y])) : null), [objects, weights]);
  const odd = objects ? ODD[how](objects[3 % objects.length], graph) : null;
  const output = odd && model ? Float32Array.from(model.forward(odd).y) : null;
  const score = output ? error([odd], [output]) : null;
  useLayoutEffect(() => {
    if (canvas.current && errors && width) bars(fitted(canvas.current, width, 110), errors, score, width, 110);
  }, [errors, score, width, dark]);
  if (!output) return html`<${Waiting} />`;
  const choose = (name) => {
    setHow(name);
    if (name !== "as it is") onOdd?.(name);
  };
  const above = errors && score !== null ? errors.filter((e) => e < score).length / errors.length : 0;
  return html`<div class="odd">
    <canvas ref=${canvas} role="img" aria-label="Histogram of the errors of ${count} objects"></canvas>
    <p class="caption">Error of ${count} objects it has never seen; the red line is yours, larger than ${Math.round(100 * above)}% of them.</p>
    <div class="ways" role="group" aria-label="Make an object odd">
      ${Object.keys(ODD).map((name) => html`<button type="button" aria-pressed=${how === name} onClick=${() => choose(name)}>${name}</button>`)}
    </div>
    <div class="three">
      ${[["in", odd, null], ["out", output, null], ["lost", odd, output]].map(
        ([name, values, lost]) => html`<${Figure} look=${graph} values=${values} lost=${lost} dark=${dark} label=${name}>${name}<//>`,
      )}
    </div>
  </div>`;
}

/**
 * @param {CanvasRenderingContext2D} context @param {number[]} errors @param {number | null} score @param {number} width
 * @param {number} height
 */
function bars(context, errors, score, width, height) {
  const most = Math.max(...errors, score ?? 0) * 1.05;
  const bins = new Array(40).fill(0);
  errors.forEach((value) => (bins[Math.min(39, Math.floor((value / most) * 40))] += 1));
  const tallest = Math.max(...bins);
  context.fillStyle = css(token("muted"), 0.55);
  bins.forEach((n, i) => context.fillRect((i * width) / 40, height - 4 - (n / tallest) * (height - 14), width / 40 - 1, (n / tallest) * (height - 14)));
  context.fillStyle = css(token("line"));
  context.fillRect(0, height - 4, width, 1);
  if (score === null) return;
  context.fillStyle = css(token("loss"));
  context.fillRect(Math.min(width - 2, (score / most) * width) - 1, 0, 2, height - 4);
}
