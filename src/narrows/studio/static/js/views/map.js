/** The map: the codes as a landscape, and what one can do on it. */

import { signal } from "@preact/signals-core";
import { Ground, Tools, Whereabouts } from "narrows/map/tools";
import { Held } from "narrows/map/held";
import { Journey, journey } from "narrows/map/journey";
import { Near } from "narrows/map/near";
import { Scene, useScene } from "narrows/map/scene";
import { Selection } from "narrows/map/selection";
import { html, useMemo, useValue } from "narrows/page/html";
import { Scatter } from "narrows/dots/scatter";

/** What is chosen on this view; kept while the page is open. */
const desk = {
  tool: signal(/** @type {import("narrows/dots/scatter").Tool} */ ("decode")),
  names: signal(true),
  ground: signal(false),
  pictures: signal(true),
  /** Ids of the lasso's objects. */
  selection: signal(/** @type {number[]} */ ([])),
  /** Ids of the neighbours that are ringed. */
  near: signal(/** @type {number[]} */ ([])),
};

/** @typedef {typeof desk} Desk */

/** @param {{studio: any}} given */
export function View({ studio }) {
  const run = useValue(studio.run);
  const graph = useValue(() => run?.graph.value ?? null, [run]);
  if (!run || !graph) return html`<p class="empty">The map appears once a model learns. Press play at the top.</p>`;
  return html`<${Atlas} key=${run.id} studio=${studio} run=${run} />`;
}

/** @param {{studio: any, run: import("narrows/state/run").Run}} given */
function Atlas({ studio, run }) {
  const tool = useValue(desk.tool);
  const [names, ground, pictures] = [desk.names, desk.ground, desk.pictures].map((cell) => useValue(cell));
  const near = useValue(desk.near);
  const selection = useValue(desk.selection);
  const count = useValue(() => run.detail.value?.objects?.count ?? 0, [run]);
  const marked = useMemo(() => marks(selection, count), [selection, count]);
  const path = useValue(journey.path);
  const scene = useScene(run);
  return html`<div class="atlas">
    <section class="sheet" aria-label="Map">
      <div class="above"><${Whereabouts} studio=${studio} run=${run} /><${Tools} studio=${studio} run=${run} desk=${desk} /></div>
      <div class="fields ${scene ? "two" : ""}">
        <${Scatter} studio=${studio} run=${run} tool=${tool} names=${names} ground=${ground} pictures=${pictures} marked=${marked}
          near=${near} path=${path} onSelect=${(ids) => (desk.selection.value = ids)} onPick=${journey.take} />
        ${scene && html`<${Scene} studio=${studio} run=${run} scene=${scene} marked=${marked} />`}
      </div>
      <${Ground} studio=${studio} run=${run} desk=${desk} />
    </section>
    <aside class="side" aria-label="What is under the hand">
      <${Held} studio=${studio} run=${run} />
      <${Near} studio=${studio} run=${run} desk=${desk} />
      <${Journey} studio=${studio} run=${run} />
      <${Selection} studio=${studio} run=${run} desk=${desk} />
    </aside>
  </div>`;
}

/** @param {number[]} ids @param {number} count */
function marks(ids, count) {
  if (!ids.length) return null;
  const marked = new Uint8Array(count);
  ids.forEach((i) => (marked[i] = 1));
  return marked;
}
