/** The objects whose codes are nearest to the held one, by all of its numbers. */

import { handOf } from "narrows/hand";
import { html, useEffect, useMemo, useValue } from "narrows/html";
import { nearestTo } from "narrows/plane";
import { ObjectTile } from "narrows/atlas/tile";

const WANTED = 8;

/** @param {{studio: any, run: import("narrows/run").Run, desk: import("narrows/views/map").Desk}} given */
export function Near({ studio, run, desk }) {
  const hand = handOf(studio);
  const code = useValue(hand.code);
  const moved = useValue(hand.moved);
  const object = useValue(studio.object) ?? 0;
  const known = useValue(() => hand.codes.value?.known.value ?? null);
  const found = useMemo(() => neighbours(known, code, moved ? -1 : object), [known, code, moved, object]);
  useEffect(() => {
    desk.near.value = found;
    return () => (desk.near.value = []);
  }, [found]);
  if (!found.length) return null;
  const of = known.count < (run.detail.value?.objects?.count ?? 0) ? `of ${known.count.toLocaleString("en")} looked at` : "";
  return html`<section class="near"><div class="heading"><h2>Nearest in the code</h2><span class="aside">${of}</span></div>
    <div class="objects">${found.map((i) => html`<${ObjectTile} key=${i} studio=${studio} run=${run} index=${i} onTake=${() => hand.choose(i)} />`)}</div>
  </section>`;
}

function neighbours(known, code, itself) {
  if (!known || !code || known.size !== code.length) return [];
  const found = nearestTo(known, code, WANTED + 1).map(({ id }) => id);
  return found.filter((id) => id !== itself).slice(0, WANTED);
}
