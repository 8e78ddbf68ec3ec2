/** A scene of pixels beside its map: each object is a place in the picture, and either lights up the other. */

import { effect } from "@preact/signals-core";
import { timed } from "narrows/page/beat";
import { css, classColour, token } from "narrows/draw/draw";
import { handOf } from "narrows/dots/hand";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useValue } from "narrows/page/html";
import { told } from "narrows/page/probe";

const PLACE = /^row (\d+), column (\d+)$/;
const FADED = 0.18;

/**
 * @typedef {{rows: number, columns: number, row: Int32Array, column: Int32Array, at: Int32Array}} Picture `at`: id at each pixel, -1 for none.
 */

/**
 * The scene of a run whose objects say where they are; null for others.
 * @param {import("narrows/state/run").Run} run
 * @returns {Picture | null}
 */
export function useScene(run) {
  const [places, setPlaces] = useState(/** @type {string[] | null} */ (null));
  const graph = useValue(run.graph);
  useEffect(() => {
    let wanted = true;
    if (graph?.kind === "spectrum" || graph?.kind === "image") {
      run.where(0).then(() => run.origins).then((found) => wanted && setPlaces(found), () => {});
    }
    return () => (wanted = false);
  }, [run, graph]);
  return useMemo(() => sceneOf(places), [places]);
}

/** @param {string[] | null} places @returns {Picture | null} */
export function sceneOf(places) {
  if (!places?.length || !PLACE.test(places[0])) return null;
  const found = places.map((text) => PLACE.exec(text));
  if (found.some((one) => !one)) return null;
  const row = Int32Array.from(found, (one) => Number(one[1]));
  const column = Int32Array.from(found, (one) => Number(one[2]));
  const rows = 1 + row.reduce((a, b) => Math.max(a, b), 0);
  const columns = 1 + column.reduce((a, b) => Math.max(a, b), 0);
  const at = new Int32Array(rows * columns).fill(-1);
  row.forEach((r, i) => (at[r * columns + column[i]] = i));
  return { rows, columns, row, column, at };
}

/** @param {{studio: any, run: import("narrows/state/run").Run, scene: Picture, marked: Uint8Array | null}} given */
export function Scene({ studio, run, scene, marked }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const spot = useRef(/** @type {HTMLElement | null} */ (null));
  const labels = useValue(run.labels);
  const hidden = useValue(studio.hidden);
  const dark = useValue(studio.dark);
  useLayoutEffect(() => paint(canvas.current, scene, labels, hidden, marked), [scene, labels, hidden, marked, dark]);
  useEffect(() => effect(() => show(spot.current, scene, studio.hovered.value ?? studio.object.value)), [scene, studio]);
  const find = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * scene.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * scene.rows);
    return nearby(scene, row, column);
  };
  const point = timed((event) => {
    const i = find(event);
    studio.hovered.value = told.hoveredId = i < 0 ? null : i;
  });
  const take = (event) => find(event) >= 0 && handOf(studio).choose(find(event));
  return html`<figure class="scene"><div class="room"><div class="ground card" style=${{ "--ratio": scene.columns / scene.rows }}>
    <canvas ref=${canvas} role="img" aria-label="The scene, each pixel in the colour of its class" onPointerMove=${point}
      onPointerLeave=${() => (studio.hovered.value = null)} onClick=${take}></canvas><i ref=${spot} hidden></i></div></div>
    <figcaption>the scene: a pixel and its dot light up together</figcaption></figure>`;
}

/** The object at a pixel or right beside it, or -1. @param {Picture} scene */
function nearby({ rows, columns, at }, row, column) {
  for (let reach = 0; reach <= 3; reach += 1) {
    for (let r = row - reach; r <= row + reach; r += 1) {
      for (let c = column - reach; c <= column + reach; c += 1) {
        if (r >= 0 && c >= 0 && r < rows && c < columns && at[r * columns + c] >= 0) return at[r * columns + c];
      }
    }
  }
  return -1;
}

/** @param {HTMLCanvasElement} canvas @param {Picture} scene */
function paint(canvas, { rows, columns, row, column }, labels, hidden, marked) {
  Object.assign(canvas, { width: columns, height: rows });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = pen.createImageData(columns, rows);
  const card = token("card");
  row.forEach((r, i) => {
    const label = labels?.[i] ?? -1;
    if (hidden.has(label)) return;
    const share = marked && !marked[i] ? FADED : 1;
    const colour = classColour(label).map((value, c) => card[c] + (value - card[c]) * share);
    image.data.set([...colour, 255], 4 * (r * columns + column[i]));
  });
  pen.putImageData(image, 0, 0);
}

/** A ring at the place of an object. @param {HTMLElement} mark @param {Picture} scene @param {number | null} i */
function show(mark, { rows, columns, row, column }, i) {
  mark.hidden = i === null || i >= row.length;
  if (mark.hidden) return;
  Object.assign(mark.style, { left: `${(100 * (column[i] + 0.5)) / columns}%`, top: `${(100 * (row[i] + 0.5)) / rows}%`, borderColor: css(token("ink")) });
}
