/** Where a code lies among the objects of its run, and which of them are nearest. */

import { css, classColour, fitted, token } from "narrows/draw/draw";
import { short } from "narrows/page/controls";
import { error, ring, useModel } from "narrows/learn/figures";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue, useWidth } from "narrows/page/html";
import { Figure } from "narrows/draw/picture";

const BUDGET = 2e8;
const MOST = 2000;
const NEAR = 5;

/** @typedef {{codes: Float32Array, losses: Float32Array, count: number, key: string}} Known Codes (count, K) and errors. */

/** @param {{studio: import("narrows/state/studio").Studio, run: import("narrows/state/run").Run, z: Float32Array, loss: number}} given */
export function Neighbours({ studio, run, z, loss }) {
  const { graph, dark } = useModel(studio);
  const known = useKnown(studio, run);
  const points = useValue(run.points);
  const labels = useValue(run.labels);
  const [objects, setObjects] = useState(/** @type {Float32Array[]} */ ([]));
  const near = known ? nearest(known, z, NEAR) : [];
  const list = near.join();
  useEffect(() => void Promise.all(near.map((i) => run.object(i))).then(setObjects), [list, run]);
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const width = useWidth(canvas);
  const at = points && known && place(points, graph, z, near);
  useLayoutEffect(() => {
    if (canvas.current && points && width) scatter(fitted(canvas.current, width, width * 0.8), { points, labels, at, width, height: width * 0.8 });
  }, [points, labels, list, z, width, dark]);
  const worse = known ? known.losses.filter((one) => one < loss).length / known.count : null;
  return html`<section class="near" aria-label="Its place on the map">
    <div class="heading"><h2>Its place on the map</h2><span class="aside">${at?.among ? "among its nearest neighbours" : "by its code"}</span></div>
    <canvas ref=${canvas} class="card" role="img" aria-label="Map of the codes, with a ring around yours"></canvas>
    <div class="heading"><h2>Nearest to it</h2><span class="aside">${known ? `of ${known.count.toLocaleString("en")}, by code` : ""}</span></div>
    <div class="row">${objects.map(
      (x, i) => html`<${Figure} look=${graph} values=${x} dark=${dark} label="neighbour ${i + 1}">${named(graph, labels, near[i])}<//>`,
    )}</div>
    ${worse !== null && html`<p class="note">${verdict(worse, loss)}</p>`}
  </section>`;
}

/** @param {number} worse @param {number} loss */
function verdict(worse, loss) {
  const said = `Its error, ${short(loss)}, is larger than that of ${Math.round(worse * 100)}% of the objects here.`;
  return worse > 0.99 ? `${said} The model has seen nothing like it.` : worse < 0.9 ? `${said} It is at home.` : said;
}

/** @param {any} graph @param {Int16Array | null} labels @param {number} index */
const named = (graph, labels, index) => graph.classes?.[labels?.[index] ?? -1] ?? "";

/**
 * Codes and errors of the run's objects; worked out when the weights rest.
 * @param {import("narrows/state/studio").Studio} studio @param {import("narrows/state/run").Run} run
 */
function useKnown(studio, run) {
  const { graph, model, weights } = useModel(studio);
  const running = useValue(studio.running);
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const rest = running ? Math.floor((weights?.step ?? 0) / 500) : weights?.step;
  useEffect(() => {
    if (!graph || !model) return undefined;
    const count = Math.min(run.detail.value.objects.count, MOST, Math.max(50, Math.floor(BUDGET / graph.madds)));
    let wanted = true;
    Promise.all(Array.from({ length: count }, (_, i) => run.object(i))).then((objects) => wanted && setKnown(work(model.twin(), objects, run.id)));
    return () => (wanted = false);
  }, [run, model, rest]);
  return known?.key === run.id ? known : null;
}

/** @param {any} model @param {Float32Array[]} objects @param {string} key @returns {Known} */
function work(model, objects, key) {
  const size = model.z.length;
  const codes = new Float32Array(objects.length * size);
  const losses = Float32Array.from(objects, (x, i) => {
    const { z, y } = model.forward(x);
    codes.set(z, i * size);
    return error([x], [y]);
  });
  return { codes, losses, count: objects.length, key };
}

/** The objects whose codes are nearest. @param {Known} known @param {Float32Array} z @param {number} most @returns {number[]} */
function nearest({ codes, count }, z, most) {
  const distances = Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < z.length; k += 1) sum += (codes[i * z.length + k] - z[k]) ** 2;
    return sum;
  });
  return distances.map((_, i) => i).sort((a, b) => distances[a] - distances[b]).slice(0, most);
}

/**
 * Where to draw a code: as it is where the map is the code, else in the middle of its nearest neighbours.
 * @param {import("narrows/state/run").Points} points @param {any} graph @param {Float32Array} z @param {number[]} near
 */
function place({ projection, xy }, graph, z, near) {
  if (projection === "code" && graph.code.size <= 2 && !graph.code.grid.length) return { x: z[0], y: z[1] ?? 0, among: false };
  const mean = (d) => near.reduce((sum, i) => sum + xy[2 * i + d], 0) / near.length;
  return { x: mean(0), y: mean(1), among: true };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{points: import("narrows/state/run").Points, labels: Int16Array | null, at: {x: number, y: number} | null, width: number, height: number}} given
 */
function scatter(context, { points, labels, at, width, height }) {
  const { bounds, packed } = points;
  const inset = 10;
  const [w, h] = [width - 2 * inset, height - 2 * inset];
  const count = Math.min(points.count, MOST);
  for (let i = 0; i < count; i += 1) {
    context.fillStyle = css(classColour(labels ? labels[i] : -1), 0.7);
    context.fillRect(inset + (packed[2 * i] / 65535) * w - 1.25, inset + (1 - packed[2 * i + 1] / 65535) * h - 1.25, 2.5, 2.5);
  }
  if (!at) return;
  const share = (value, low, high) => Math.min(1.02, Math.max(-0.02, (value - low) / (high - low)));
  const [x, y] = [inset + share(at.x, bounds[0], bounds[2]) * w, inset + (1 - share(at.y, bounds[1], bounds[3])) * h];
  context.fillStyle = css(token("card"));
  ring(context, x, y);
}
