/** What the lasso holds: how many, of which classes, and what they look like. */

import { shapeOf } from "narrows/draw/classes";
import { classColour, css } from "narrows/draw/draw";
import { handOf } from "narrows/dots/hand";
import { journey } from "narrows/map/journey";
import { html, useValue } from "narrows/page/html";
import { Mark } from "narrows/dots/legend";
import { ObjectTile } from "narrows/map/tile";

const TILES = 24;

/** @param {{studio: any, run: import("narrows/state/run").Run, desk: import("narrows/views/map").Desk}} given */
export function Selection({ studio, run, desk }) {
  const ids = useValue(desk.selection);
  const tool = useValue(desk.tool);
  const labels = useValue(run.labels);
  const names = useValue(() => run.graph.value?.classes ?? [], [run]);
  useValue(studio.dark);
  if (!ids.length) return tool === "lasso" ? html`<section class="selection"><p class="caption">Draw around dots: what they are is counted here.</p></section>` : null;
  const counts = countsOf(ids, labels, names);
  return html`<section class="selection">
    <div class="heading"><h2>${ids.length.toLocaleString("en")} in the lasso</h2>
      <button type="button" class="plain" onClick=${() => (desk.selection.value = [])}>clear</button></div>
    <ul class="counts">${counts.map(
      ({ index, name, count }) => html`<li key=${index}><span class="name"><${Mark} index=${index} shape=${shapeOf(index)} /> ${name}</span>
        <span class="bar"><span style=${{ width: `${(100 * count) / ids.length}%`, background: css(classColour(index)) }}></span></span>
        <span class="tally">${count.toLocaleString("en")}</span></li>`,
    )}</ul>
    <div class="objects">${ids.slice(0, TILES).map((i) => html`<${ObjectTile} key=${i} studio=${studio} run=${run} index=${i} onTake=${() => journey.take(i) || handOf(studio).choose(i)} />`)}</div>
    ${ids.length > TILES && html`<p class="caption">the first ${TILES} of them</p>`}
  </section>`;
}

/** @param {number[]} ids @param {Int16Array | null} labels @param {string[]} names */
function countsOf(ids, labels, names) {
  const counts = new Map();
  ids.forEach((i) => counts.set(labels?.[i] ?? -1, (counts.get(labels?.[i] ?? -1) ?? 0) + 1));
  const all = [...counts].map(([index, count]) => ({ index, count, name: names[index] ?? "no class" }));
  return names.length ? all.sort((a, b) => b.count - a.count) : [];
}
