/** The first view: the recipe on the left, the network alive in the middle, how well it does on the right. */

import { Curve } from "narrows/curve";
import { Drawer } from "narrows/drawer";
import { Glass } from "narrows/glass";
import { Hourglass } from "narrows/hourglass";
import { html, useEffect, useMemo, useValue } from "narrows/html";
import { Measures } from "narrows/measure";
import { Scatter, Shown } from "narrows/scatter";
import { Stations } from "narrows/stations";
import { Tiles } from "narrows/tiles";

/** @param {{studio: import("narrows/studio").Studio}} given */
export function View({ studio }) {
  const glass = useMemo(() => new Glass(studio), [studio]);
  const layer = useValue(studio.layer);
  useEffect(() => glass.follow(), [glass]);
  return html`<div class="columns build-view">
    <${Stations} studio=${studio} />
    <div class="stage">
      <${Hourglass} studio=${studio} glass=${glass} />
      ${layer ? html`<${Drawer} studio=${studio} glass=${glass} name=${layer} />` : html`<${Tiles} studio=${studio} />`}
    </div>
    <aside class="build-side" aria-label="How well it does">
      <${Curve} studio=${studio} />
      <${Measures} studio=${studio} />
      <${SmallMap} studio=${studio} />
    </aside>
  </div>`;
}

/** The code seen from above. @param {{studio: import("narrows/studio").Studio}} given */
function SmallMap({ studio }) {
  const run = useValue(studio.run);
  return html`<section class="small-map" aria-label="The code, seen from above">
    <div class="heading"><h2>The code, seen from above</h2>${run && html`<${Shown} run=${run} />`}</div>
    <${Scatter} studio=${studio} run=${run} small />
  </section>`;
}
