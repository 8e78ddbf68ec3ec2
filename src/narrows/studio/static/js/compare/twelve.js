/** The same twelve objects through every configuration: one row each, below the objects themselves. */

import { short } from "narrows/page/controls";
import { tileValues } from "narrows/draw/draw";
import { html, useEffect, useMemo, useState, useValue } from "narrows/page/html";
import { twinOf } from "narrows/dots/hovercard";
import { Picture } from "narrows/draw/picture";
import { columnCss, LETTERS, nameOf } from "narrows/compare/marks";

const COUNT = 12;

/** @param {{studio: any, runs: import("narrows/state/run").Run[]}} given */
export function Twelve({ studio, runs }) {
  const objects = useObjects(runs[0]);
  const graph = useValue(runs[0].graph);
  const dark = useValue(studio.dark);
  if (!graph || !objects.length) return null;
  return html`<section class="twelve-runs"><div class="heading"><h2>The same twelve objects</h2><span class="aside">never learned from</span></div>
    <div class="rows" role="table" aria-label="Twelve objects and what each configuration makes of them">
      <div class="row" role="row"><span class="who" role="rowheader">object</span>${objects.map(
        (values, i) => html`<${Cell} key=${i} i=${i} studio=${studio} look=${graph} values=${values} dark=${dark} label=${`object ${i}`} />`,
      )}<span role="cell" class="quiet">error</span></div>
      ${runs.map((run, n) => html`<${Row} key=${run.id} studio=${studio} n=${n} runs=${runs} objects=${objects} dark=${dark} />`)}
    </div></section>`;
}

/** An object in its column: lit where the same object is under the pointer, wherever that is on the page. */
function Cell({ i, studio, ...picture }) {
  const lit = useValue(() => studio.hovered.value === i);
  const light = (index) => () => (studio.hovered.value = index);
  return html`<span role="cell" class=${lit ? "lit" : ""} onPointerEnter=${light(i)} onPointerLeave=${light(null)}>
    <${Picture} ...${picture} /></span>`;
}

/** @param {{studio: any, n: number, runs: import("narrows/state/run").Run[], objects: Float32Array[], dark: boolean}} given */
function Row({ studio, n, runs, objects, dark }) {
  const run = runs[n];
  const outputs = useOutputs(run, objects);
  const others = runs.map((other) => meanError(useOutputs(other, objects), objects));
  const graph = useValue(run.graph);
  const name = useValue(() => nameOf(run), [run]);
  if (!outputs || !graph) return null;
  const mean = meanError(outputs, objects);
  return html`<div class="row" role="row" style=${{ "--of": columnCss(n) }}><span class="who" role="rowheader"><b>${LETTERS[n]}</b> ${name}</span>
    ${outputs.map((values, i) => html`
      <${Cell} key=${i} i=${i} studio=${studio} look=${graph} values=${values} dark=${dark} label=${`object ${i} by ${LETTERS[n]}`} />`)}
    <span role="cell" class=${`number ${mean <= Math.min(...others) ? "good" : ""}`}>${short(mean)}</span></div>`;
}

/**
 * What a run makes of the objects: as it streams, else worked out here.
 * @param {import("narrows/state/run").Run} run @param {Float32Array[]} objects @returns {Float32Array[] | null}
 */
function useOutputs(run, objects) {
  const tiles = useValue(run.tiles);
  const weights = useValue(run.weights);
  const graph = useValue(run.graph);
  return useMemo(() => {
    if (!graph) return null;
    if (tiles) return objects.slice(0, tiles.count).map((_, i) => tileValues(tiles, i, graph));
    const twin = weights && twinOf(run);
    return twin ? objects.map((values) => twin.forward(values).y.slice()) : null;
  }, [tiles, tiles ? null : weights, graph, objects]);
}

/** Mean squared error over the objects. @param {Float32Array[] | null} outputs @param {Float32Array[]} objects */
const meanError = (outputs, objects) =>
  outputs?.length ? outputs.reduce((sum, values, i) => sum + squared(values, objects[i]) / outputs.length, 0) : Infinity;

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function squared(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d += 1) sum += (a[d] - b[d]) ** 2;
  return sum / a.length;
}

/** The first objects of a run. @param {import("narrows/state/run").Run} run */
function useObjects(run) {
  const [objects, setObjects] = useState(/** @type {Float32Array[]} */ ([]));
  const count = useValue(() => Math.min(COUNT, (run.graph.value && run.detail.value?.objects?.count) || 0), [run]);
  useEffect(() => {
    let wanted = true;
    Promise.all(Array.from({ length: count }, (_, i) => run.object(i))).then((found) => wanted && setObjects(found), () => {});
    return () => (wanted = false);
  }, [run, count]);
  return objects;
}
