/** A sound's play buttons; for other objects nothing. */

import { html, useValue } from "narrows/page/html";
import { leveled, play, playable } from "narrows/map/sound";

/** @param {{studio: any, run: import("narrows/state/run").Run, hand: import("narrows/dots/hand").Hand}} given */
export function PlayButton({ run, hand }) {
  const graph = useValue(run.graph);
  const layout = useValue(() => run.detail.value?.layout ?? null, [run]);
  if (!playable(graph, layout)) return null;
  const sound = (cell) => () => cell.value && play(cell.value, graph, layout);
  return html`<div class="sounds"><button type="button" onClick=${sound(hand.object)}>Play the object</button>
    <button type="button" onClick=${sound(hand.output)}>Play the decoded</button>
    ${leveled(graph) && html`<span class="caption">made from its levels; the phases are guessed</span>`}</div>`;
}
