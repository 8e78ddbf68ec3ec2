/** Under the hourglass: what can be done to the number of the code that is in hand. */

import { timed } from "narrows/page/beat";
import { short, Slider } from "narrows/page/controls";
import { html, useValue } from "narrows/page/html";
import { nameOf } from "narrows/build/waist";

/** @typedef {import("narrows/build/glass").Glass} Glass */

/** @param {{glass: Glass, graph: any}} given */
export function CodeBar({ glass, graph }) {
  const held = useValue(glass.held);
  const { size } = graph.code;
  if (held === null || held >= size) return html`<${Hint} glass=${glass} graph=${graph} />`;
  return html`<${InHand} glass=${glass} unit=${held} count=${size} />`;
}

const LARGE = ["This model is too large to run in the page", "the twelve objects and the map follow it; a narrower network moves here too"];
const SOON = "the training begins in a moment";
const NOT_YET = "press play, and it learns";

/** @param {{head: string, rest: string}} given */
const Words = ({ head, rest }) => html`<p class="code-bar"><b>${head}</b><small>${rest}</small></p>`;

/** What there is to do, or why nothing moves yet. @param {{glass: Glass, graph: any}} given */
function Hint({ glass, graph }) {
  const alive = useValue(() => glass.subject.value.run !== null, [graph]);
  const running = useValue(glass.studio.running);
  if (graph.remote) return html`<${Words} head=${LARGE[0]} rest=${LARGE[1]} />`;
  if (!alive) return html`<${Words} head="Untrained: its first weights are random" rest=${running ? SOON : NOT_YET} />`;
  return html`<p class="code-bar"><b>Take hold of a number of the code: the decoder answers at once</b>
    <small>hover a unit to see what it responds to · click a layer to open it</small><${FreeAll} glass=${glass} /></p>`;
}

/** @param {{glass: Glass}} given */
function FreeAll({ glass }) {
  const count = useValue(() => Object.keys(glass.studio.override.value).length);
  if (!count) return null;
  return html`<button type="button"
    onClick=${() => (glass.studio.override.value = {})}>${count > 1 ? `Set all ${count} free` : "Set free"}</button>`;
}

/** @param {{glass: Glass, unit: number, count: number}} given */
function InHand({ glass, unit, count }) {
  const override = useValue(glass.studio.override);
  useValue(glass.ranges);
  useValue(glass.seen);
  const [low, high] = glass.reach.of(unit);
  const isHeld = unit in override;
  const value = override[unit] ?? glass.own?.[unit] ?? 0;
  const take = timed((number) => glass.hold(unit, number, performance.now()));
  const written = (number) => short(Math.round(number * 100) / 100);
  return html`<div class="code-bar" role="group" aria-label=${nameOf(unit, count)}
    onPointerDown=${(event) => event.target instanceof HTMLInputElement && glass.grip(unit)}>
    <span><b>number ${unit + 1}</b> of ${count}, ${isHeld ? "held at" : "now"} <b class="code-ink">${written(value)}</b></span>
    <${Slider} label="Value of number ${unit + 1}" kind="code" min=${low} max=${high} step=${(high - low) / 200} value=${value}
      show=${written} onInput=${take} ends=${false} />
    <button type="button" aria-pressed=${override[unit] === 0} onClick=${() => glass.hold(unit, 0)}>Turn off</button>
    ${isHeld
      ? html`<button type="button" onClick=${() => glass.hold(unit, null)}>Set free</button>`
      : html`<button type="button" onClick=${() => glass.hold(unit, value)}>Hold here</button>`}
    ${Object.keys(override).length > 1 && html`<${FreeAll} glass=${glass} />`}
    <button type="button" class="plain" aria-label="Let go" title="Let go" onClick=${() => (glass.held.value = null)}>×</button>
  </div>`;
}
