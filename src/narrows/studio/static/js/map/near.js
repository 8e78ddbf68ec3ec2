/** The objects whose codes are nearest to the held one, by all of its numbers. */

import { effect } from "@preact/signals-core";
import { handOf } from "narrows/dots/hand";
import { journey } from "narrows/map/journey";
import { html, useEffect, useMemo, useState, useValue } from "narrows/page/html";
import { nearestTo } from "narrows/dots/plane";
import { ObjectTile } from "narrows/map/tile";

const WANTED = 8;
/** While a code is dragged its neighbours follow this often: the decoder comes first. */
const EVERY_MS = 150;

/** @param {{studio: any, run: import("narrows/state/run").Run, desk: import("narrows/views/map").Desk}} given */
export function Near({ studio, run, desk }) {
  const hand = handOf(studio);
  const code = useLately(hand.code);
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
  return html`<section class="neighbours"><div class="heading"><h2>Nearest in the code</h2><span class="aside">${of}</span></div>
    <div class="objects">${found.map((i) => html`<${ObjectTile} key=${i} studio=${studio} run=${run} index=${i} onTake=${() => journey.take(i) || hand.choose(i)} />`)}</div>
  </section>`;
}

/**
 * The value of a signal, not more often than the neighbours are to follow.
 * @template T @param {import("@preact/signals-core").ReadonlySignal<T>} cell
 */
function useLately(cell) {
  const [value, setValue] = useState(cell.peek());
  useEffect(() => {
    let timer = 0;
    const stop = effect(() => {
      void cell.value;
      timer ||= window.setTimeout(() => ((timer = 0), setValue(cell.peek())), EVERY_MS);
    });
    return () => (stop(), clearTimeout(timer));
  }, [cell]);
  return value;
}

function neighbours(known, code, itself) {
  if (!known || !code || known.size !== code.length) return [];
  const found = nearestTo(known, code, WANTED + 1).map(({ id }) => id);
  return found.filter((id) => id !== itself).slice(0, WANTED);
}
