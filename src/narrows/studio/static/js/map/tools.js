/** What stands above and below the map: what it shows, what the hand does, and what is laid over it. */

import { Segments } from "narrows/page/controls";
import { codeLength } from "narrows/nn/codes";
import { handOf } from "narrows/dots/hand";
import { html, useEffect, useValue } from "narrows/page/html";
import { Shown } from "narrows/dots/scatter";

const TOOLS = [
  { value: "decode", label: "Decode", title: "Drag: the decoder answers for the place under the pointer" },
  { value: "move", label: "Move", title: "Drag moves the map (or hold Shift)" },
  { value: "lasso", label: "Lasso", title: "Draw around dots to look at them together" },
];

/** @param {{studio: any, run: import("narrows/state/run").Run}} given */
export function Whereabouts({ studio, run }) {
  const size = useValue(() => codeLength(run.graph.value), [run]);
  return html`<div class="whereabouts"><h2>The narrows, seen from above</h2> <${Shown} run=${run} /></div>
    ${size > 2 && html`<${Projections} studio=${studio} />`}`;
}

const PROJECTIONS = [
  { value: "code", label: "PCA", title: "The plane along which the codes differ most" },
  { value: "two", label: "First two", title: "The first two numbers of the code" },
  { value: "tsne", label: "t-SNE", title: "Neighbours stay neighbours; distances between groups say little" },
];

/** @param {{studio: any}} given */
function Projections({ studio }) {
  const projection = useValue(studio.projection);
  const { tsne } = handOf(studio);
  const state = useValue(tsne.state);
  const shown = useValue(tsne.points);
  useEffect(() => tsne.foresee(), [studio]);
  const said = state === "working" ? "being worked out …" : state || (shown ? `of step ${shown.step.toLocaleString("en")}` : "");
  return html`<div class="projections" onPointerEnter=${() => tsne.foresee()} onFocusIn=${() => tsne.foresee()}>
    <${Segments} label="Projection" choices=${PROJECTIONS} value=${projection} onChange=${(value) => (studio.projection.value = value)} />
    ${projection === "tsne" && html`<span class="caption" role="status">${said}</span>`}
    ${projection === "tsne" && state === "" && html`<button type="button" class="plain" onClick=${() => tsne.anew()}>again</button>`}
  </div>`;
}

/** @param {{studio: any, run: import("narrows/state/run").Run, desk: import("narrows/views/map").Desk}} given */
export function Tools({ studio, desk }) {
  const tool = useValue(desk.tool);
  return html`<div class="tools">
    <${Segments} label="What a drag does" choices=${TOOLS} value=${tool} onChange=${(value) => (desk.tool.value = value)} />
    <${Toggle} cell=${desk.pictures} title="Dots become pictures as you zoom in">Pictures<//>
    <${Toggle} cell=${desk.names} title="The name of each class at the middle of its dots">Names<//>
    <${Toggle} cell=${desk.ground} title="What the decoder makes of the place under each tile">Ground<//>
    <${Whole} studio=${studio} />
  </div>`;
}

/** @param {{cell: import("@preact/signals-core").Signal<boolean>, title: string, children?: any}} given */
function Toggle({ cell, title, children }) {
  const on = useValue(cell);
  return html`<button type="button" class="toggle" aria-pressed=${on} title=${title} onClick=${() => (cell.value = !on)}>${children}</button>`;
}

/** @param {{studio: any}} given */
function Whole({ studio }) {
  const camera = useValue(studio.camera);
  return html`<button type="button" disabled=${!camera} title="See all of it (0)" onClick=${() => (studio.camera.value = null)}>Whole</button>`;
}

/**
 * What the map shows and what a drag does there, in a sentence or two.
 * @param {{studio: any, run: import("narrows/state/run").Run, desk: import("narrows/views/map").Desk}} given
 */
export function Ground({ studio, run, desk }) {
  const ground = useValue(desk.ground);
  const hand = handOf(studio);
  const exact = useValue(() => hand.plane.value?.exact ?? true);
  const projection = useValue(() => hand.points.value?.projection ?? "code");
  const size = useValue(() => codeLength(run.graph.value), [run]);
  const awaited = useValue(() => studio.projection.value === "tsne" && hand.tsne.state.value === "working" && !hand.tsne.points.value);
  const place = size === 1 ? "line" : projection;
  const told = ground ? (exact ? GROUND : NO_GROUND) : DRAGS[place];
  return html`<p class="about"><b>Drag on the map: the decoder answers at once.</b> <span class="quiet">${awaited && size > 2 && html`<b>${AWAITED}</b> `}${SHOWS[place](size)} ${told}</span></p>`;
}

const AWAITED = "t-SNE is being worked out; meanwhile:";

/** @type {Record<string, (size: number) => string>} */
const SHOWS = {
  line: () => "One number: across. The height only spreads the dots.",
  code: () => "Two numbers: across and up.",
  pca: (size) => `${size.toLocaleString("en")} numbers in the plane where they differ most (PCA).`,
  two: (size) => `The first two of ${size.toLocaleString("en")} numbers.`,
  tsne: () => "t-SNE: neighbours stay neighbours, distances between groups say little.",
};

/** @type {Record<string, string>} */
const DRAGS = {
  line: "",
  code: "Wheel or pinch zooms, Shift-drag moves, arrow keys move the held code.",
  pca: "A drag stays in that plane: what it does not show stays as it is.",
  two: "A drag moves these two; the others stay as they are.",
  tsne: "A drag decodes the mean of the codes around a place.",
};

const GROUND = "Tiles are what the decoder makes of each place; paper veils ground without data.";
const NO_GROUND = "This map has no ground to decode: choose another projection to see it.";
