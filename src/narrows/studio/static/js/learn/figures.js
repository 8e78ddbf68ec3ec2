/** Live figures of the run that is looked at: pairs, the code by hand, the plane, noise, odd ones out, the course. */

import { css, classColour, fitted, tileValues, token } from "narrows/draw/draw";
import { Slider, short } from "narrows/page/controls";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useValue, useWidth } from "narrows/page/html";
import { timed } from "narrows/page/beat";
import { Figure, Picture } from "narrows/draw/picture";

/** @typedef {{studio: import("narrows/state/studio").Studio}} Given */

/**
 * The run looked at, its graph and model; drawn anew with each new set of weights.
 * @param {import("narrows/state/studio").Studio} studio
 */
export function useModel(studio) {
  const run = useValue(studio.run);
  const graph = useValue(() => studio.run.value?.graph.value ?? null);
  const model = useValue(() => studio.run.value?.model.value ?? null);
  const weights = useValue(() => studio.run.value?.weights.value ?? null);
  const dark = useValue(studio.dark);
  return { run, graph, model, weights, dark };
}

/**
 * Some objects of a run, or null while they come.
 * @param {import("narrows/state/run").Run | null} run
 * @param {any} graph
 * @param {number[]} indices
 * @returns {Float32Array[] | null}
 */
export function useObjects(run, graph, indices) {
  const [objects, setObjects] = useState(/** @type {{run: any, values: Float32Array[]} | null} */ (null));
  useEffect(() => {
    let wanted = true;
    if (run && graph) Promise.all(indices.map((i) => run.object(i))).then((values) => wanted && setObjects({ run, values }), () => {});
    return () => (wanted = false);
  }, [run, graph, indices.join()]);
  return objects && objects.run === run ? objects.values : null;
}

/** What stands where a figure is to come. @param {{children?: any}} given */
export const Waiting = ({ children }) => html`<p class="quiet waiting">${children ?? "The figure comes with the first weights."}</p>`;

/** Objects it has never seen: in, out, and what was lost. @param {Given & {count?: number}} given */
export function Pairs({ studio, count = 8 }) {
  const { run, graph, dark } = useModel(studio);
  const tiles = useValue(() => studio.run.value?.tiles.value ?? null);
  const objects = useObjects(run, graph, range(count));
  if (!objects || !tiles || tiles.values !== graph.values) return html`<${Waiting} />`;
  const columns = objects.slice(0, tiles.count).map((x, i) => ({ x, y: tileValues(tiles, i, graph) }));
  const row = (name, picture) => html`<div class="row"><span>${name}</span>${columns.map(picture)}</div>`;
  const of = (what, values, i, lost) =>
    html`<${Picture} look=${graph} values=${values} lost=${lost} dark=${dark} label="${what} ${i + 1}" />`;
  return html`<div class="pairs">
    ${row("in", ({ x }, i) => of("input", x, i))} ${row("out", ({ y }, i) => of("output", y, i))}
    ${row("lost", ({ x, y }, i) => of("what was lost of", x, i, y))}
  </div>`;
}

/** @param {number} count */
export const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Mean squared difference of two lists of objects. @param {Float32Array[]} a @param {Float32Array[]} b */
export function error(a, b) {
  let sum = 0;
  a.forEach((x, i) => x.forEach((value, d) => (sum += (value - b[i][d]) ** 2)));
  return sum / (a.length * a[0].length);
}

/** One object through the code, whose numbers can be held by hand. @param {Given & {onHold?: () => void}} given */
export function ThroughCode({ studio, onHold }) {
  const { run, graph, model, weights, dark } = useModel(studio);
  const chosen = useValue(studio.object) ?? 0;
  const override = useValue(studio.override);
  const objects = useObjects(run, graph, [chosen]);
  if (!objects || !model) return html`<${Waiting} />`;
  const [x] = objects;
  const free = Float32Array.from(model.encode(x).z);
  const { z, y } = model.forward(x, { clamp: override });
  const reach = Math.max(3, ...free.map(Math.abs)) * 1.5;
  const hold = (unit, value) => {
    studio.override.value = { ...override, [unit]: value };
    onHold?.();
  };
  const shown = Math.min(8, graph.code.size);
  return html`<div class="through">
    <${Figure} look=${graph} values=${x} dark=${dark} label="input">in<//>
    <div class="waist">
      ${range(shown).map(
        (unit) => html`<label key=${unit}><span>${short(+z[unit].toFixed(2))}</span>
          <${Slider} label="Number ${unit + 1} of the code" kind="code" ends=${false} min=${-reach} max=${reach} step=${reach / 100}
            value=${z[unit]} onInput=${(value) => hold(unit, value)} /></label>`,
      )}
      ${graph.code.size > shown && html`<small>all ${graph.code.size} numbers</small>
        <${Picture} look=${codeLook(graph, reach)} values=${z} stamp=${[weights, override]} dark=${dark} label="The whole code" kind="code" />`}
    </div>
    <${Figure} look=${graph} values=${y} dark=${dark} stamp=${[weights, override]} label="output">out<//>
    <div class="beside">
      <button type="button" onClick=${() => (studio.object.value = (chosen + 1) % Math.min(60, run.detail.value.objects.count))}>Another object</button>
      <button type="button" disabled=${!Object.keys(override).length} onClick=${() => (studio.override.value = {})}>Let go</button>
    </div>
  </div>`;
}

/** The code as a row of violet bars. @param {any} graph @param {number} reach */
const codeLook = (graph, reach) => ({ kind: "table", shape: [graph.code.size], low: -reach, high: reach, ink: "code" });

/** The plane of codes: drag over it and the decoder answers. @param {Given & {onDrag?: () => void}} given */
export function Plane({ studio, onDrag }) {
  const { graph, model, weights, dark } = useModel(studio);
  const points = useValue(() => studio.run.value?.points.value ?? null);
  const labels = useValue(() => studio.run.value?.labels.value ?? null);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [at, setAt] = useState(/** @type {[number, number] | null} */ (null));
  const width = useWidth(canvas);
  useLayoutEffect(() => {
    if (canvas.current && points && width) dots(fitted(canvas.current, width, width), points, labels, at, width);
  }, [points, labels, at, width, dark]);
  const plane = points?.projection === "code" && graph?.code.size <= 2 && !graph.code.grid.length;
  const answer = useMemo(() => at && model && plane && Float32Array.from(model.decode(at.slice(0, graph.code.size)).y), [at, weights, plane]);
  const move = timed((/** @type {any} */ event) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setAt(spot(event, points.bounds));
    onDrag?.();
  });
  const keys = (event) => {
    const by = ARROWS[event.key];
    if (!by) return;
    event.preventDefault();
    setAt(stepped(at, by, points.bounds));
    onDrag?.();
  };
  if (!points || !graph) return html`<${Waiting} />`;
  return html`<div class="plane">
    <canvas ref=${canvas} tabindex="0" role="application" aria-label="The plane of codes: drag, or use the arrow keys, and the decoder answers"
      onPointerDown=${move} onPointerMove=${move} onKeyDown=${keys}></canvas>
    <figure>
      ${answer ? html`<${Picture} look=${graph} values=${answer} dark=${dark} label="decoded" />` : html`<div class="picture empty-picture"></div>`}
      <figcaption>${plane ? (answer ? "decoded here" : "drag over the plane") : "shown by PCA of the codes: a plane cannot be decoded"}</figcaption>
    </figure>
  </div>`;
}

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @param {any} event @param {Float32Array} bounds @returns {[number, number]} */
function spot(event, [x0, y0, x1, y1]) {
  const box = event.currentTarget.getBoundingClientRect();
  const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [x0 + u * (x1 - x0), y1 - v * (y1 - y0)];
}

/** @param {[number, number] | null} at @param {[number, number]} by @param {Float32Array} bounds @returns {[number, number]} */
function stepped(at, by, [x0, y0, x1, y1]) {
  const [x, y] = at ?? [(x0 + x1) / 2, (y0 + y1) / 2];
  return [x + (by[0] * (x1 - x0)) / 40, y + (by[1] * (y1 - y0)) / 40];
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("narrows/state/run").Points} points @param {Int16Array | null} labels
 * @param {number[] | null} at @param {number} side
 */
function dots(context, { count, packed, bounds }, labels, at, side) {
  const count_ = Math.min(count, 3000);
  for (let i = 0; i < count_; i += 1) {
    context.fillStyle = css(classColour(labels ? labels[i] : -1), 0.85);
    context.fillRect((packed[2 * i] / 65535) * side - 1.5, (1 - packed[2 * i + 1] / 65535) * side - 1.5, 3, 3);
  }
  if (at) ring(context, ((at[0] - bounds[0]) / (bounds[2] - bounds[0])) * side, (1 - (at[1] - bounds[1]) / (bounds[3] - bounds[1])) * side);
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y */
export function ring(context, x, y) {
  context.beginPath();
  context.arc(x, y, 7, 0, 2 * Math.PI);
  Object.assign(context, { strokeStyle: css(token("ink")), lineWidth: 2 });
  context.stroke();
}

/** The course of the training, with the PCA line. @param {Given} given */
export function Course({ studio }) {
  const epochs = useValue(() => studio.run.value?.epochs.value ?? NONE);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  const dark = useValue(studio.dark);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const width = useWidth(canvas);
  const pca = measure(baseline, "pca");
  useLayoutEffect(() => {
    if (canvas.current && width) line(fitted(canvas.current, width, 120), epochs, pca, width, 120);
  }, [epochs, pca, width, dark]);
  return html`<canvas class="course" ref=${canvas} role="img" aria-label="Error by epoch: of training (thin) and of validation"></canvas>`;
}

/** @type {import("narrows/state/run").Epoch[]} */
const NONE = [];

/** A baseline's mean squared error, or null. @param {any} baseline @param {"pca" | "mean"} name */
export function measure(baseline, name) {
  const said = baseline?.[name];
  return (typeof said === "object" && said ? said.mse : said) ?? null;
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("narrows/state/run").Epoch[]} epochs @param {number | null} pca
 * @param {number} width @param {number} height
 */
function line(context, epochs, pca, width, height) {
  const [valid, train] = ["valid", "train"].map((name) => epochs.map((epoch) => epoch[name]));
  const [first, last] = [valid.find(Number.isFinite), valid.findLast(Number.isFinite)];
  if (first === undefined) return;
  const most = Math.max(first, pca ?? 0, last) * 1.1;
  const y = (value) => height - 16 - (Math.min(value, most) / most) * (height - 24);
  Object.assign(context, { font: "11px Inter, sans-serif", fillStyle: css(token("muted")), textAlign: "right" });
  context.fillRect(0, height - 16, width, 1);
  context.fillText(`epoch ${epochs.length}`, width, height - 3);
  if (pca !== null) {
    context.fillText(`PCA ${short(pca)}`, width, y(pca) - 5);
    context.setLineDash([4, 4]);
    stroke(context, [[0, y(pca)], [width, y(pca)]], css(token("muted")), 1);
    context.setLineDash([]);
  }
  const step = width / Math.max(1, valid.length - 1);
  const along = (values) => values.map((value, i) => [i * step, y(value)]).filter((point) => Number.isFinite(point[1]));
  stroke(context, along(train), css(token("code"), 0.45), 1);
  stroke(context, along(valid), css(token("code")), 1.75);
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} points @param {string} colour @param {number} width */
function stroke(context, points, colour, width) {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
  context.stroke();
}

/** This autoencoder, PCA with as many numbers, and the mean object. @param {Given} given */
export function Scores({ studio }) {
  const graph = useValue(() => studio.run.value?.graph.value ?? null);
  const epochs = useValue(() => studio.run.value?.epochs.value ?? NONE);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  if (!graph) return null;
  const valid = epochs.at(-1)?.valid ?? null;
  const { size } = graph.code;
  const numbers = `${size} number${size === 1 ? "" : "s"}`;
  const pca = measure(baseline, "pca");
  const rows = [
    [`this autoencoder, ${numbers}`, valid, valid !== null && pca !== null && valid < pca],
    [`PCA, ${numbers}`, pca, false],
    ["always the mean object", measure(baseline, "mean"), false],
  ];
  return html`<table class="scores"><tbody>
    ${rows.map(([name, value, good]) => html`<tr><th scope="row">${name}</th><td class="number ${good ? "good" : ""}">${short(value)}</td></tr>`)}
  </tbody></table>`;
}
