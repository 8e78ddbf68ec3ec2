/** The same twelve objects through every configuration: one row each, below the objects themselves. */

import { short } from "narrows/controls";
import { tileValues } from "narrows/draw";
import { html, useEffect, useState, useValue } from "narrows/html";
import { Picture } from "narrows/picture";
import { columnCss, LETTERS, nameOf } from "narrows/compare/marks";

const COUNT = 12;

/** @param {{studio: any, runs: import("narrows/run").Run[]}} given */
export function Twelve({ studio, runs }) {
  const objects = useObjects(runs[0]);
  const graph = useValue(runs[0].graph);
  const dark = useValue(studio.dark);
  const hovered = useValue(studio.hovered);
  if (!graph || !objects.length) return null;
  const light = (i) => ({ onPointerEnter: () => (studio.hovered.value = i), onPointerLeave: () => (studio.hovered.value = null) });
  return html`<section class="twelve-runs"><div class="heading"><h2>The same twelve objects</h2><span class="aside">never learned from</span></div>
    <div class="rows" role="table" aria-label="Twelve objects and what each configuration makes of them">
      <div class="row" role="row"><span class="who" role="rowheader">object</span>${objects.map(
        (values, i) => html`<span role="cell" key=${i} class=${i === hovered ? "lit" : ""} ...${light(i)}><${Picture} look=${graph} values=${values} dark=${dark} label=${`object ${i}`} /></span>`,
      )}<span role="cell" class="quiet">error</span></div>
      ${runs.map((run, n) => html`<${Row} key=${run.id} n=${n} run=${run} runs=${runs} objects=${objects} light=${light} hovered=${hovered} dark=${dark} />`)}
    </div></section>`;
}

function Row({ n, run, runs, objects, light, hovered, dark }) {
  const tiles = useValue(run.tiles);
  const graph = useValue(run.graph);
  const name = useValue(() => nameOf(run), [run]);
  if (!tiles || !graph) return null;
  const outputs = objects.slice(0, tiles.count).map((_, i) => tileValues(tiles, i, graph));
  const mean = meanError(run, objects);
  const best = runs.every((other) => mean <= meanError(other, objects));
  return html`<div class="row" role="row" style=${{ "--of": columnCss(n) }}><span class="who" role="rowheader"><b>${LETTERS[n]}</b> ${name}</span>
    ${outputs.map((values, i) => html`<span role="cell" key=${i} class=${i === hovered ? "lit" : ""} ...${light(i)}><${Picture} look=${graph} values=${values} stamp=${tiles.step} dark=${dark} label=${`object ${i} by ${LETTERS[n]}`} /></span>`)}
    <span role="cell" class=${`number ${best ? "good" : ""}`}>${short(mean)}</span></div>`;
}

/** Mean squared error over the twelve. @param {import("narrows/run").Run} run @param {Float32Array[]} objects */
function meanError(run, objects) {
  const [tiles, graph] = [run.tiles.value, run.graph.value];
  if (!tiles || !graph) return Infinity;
  const count = Math.min(tiles.count, objects.length);
  return objects.slice(0, count).reduce((sum, values, i) => sum + squared(tileValues(tiles, i, graph), values) / count, 0);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function squared(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d += 1) sum += (a[d] - b[d]) ** 2;
  return sum / a.length;
}

/** The first objects of a run. @param {import("narrows/run").Run} run */
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
