/** The first view: the recipe on the left, the network alive in the middle, how well it does on the right. */

import { Curve } from "narrows/build/curve";
import { Drawer } from "narrows/build/drawer";
import { Glass } from "narrows/build/glass";
import { Hourglass } from "narrows/build/hourglass";
import { html, useEffect, useMemo, useValue } from "narrows/page/html";
import { Measures } from "narrows/build/measure";
import { Scatter, Shown } from "narrows/dots/scatter";
import { Stations } from "narrows/build/stations";
import { Tiles } from "narrows/build/tiles";

/** @param {{studio: import("narrows/state/studio").Studio}} given */
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

/** The code seen from above. @param {{studio: import("narrows/state/studio").Studio}} given */
function SmallMap({ studio }) {
  const run = useValue(studio.run);
  return html`<section class="small-map" aria-label="The code, seen from above">
    <div class="heading"><h2>The code from above</h2>${run && html`<${Shown} run=${run} />`}</div>
    <${Scatter} studio=${studio} run=${run} small />
  </section>`;
}
