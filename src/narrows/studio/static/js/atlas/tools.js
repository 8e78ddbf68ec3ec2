/** What stands above and below the map: what it shows, what the hand does, and what is laid over it. */

import { Segments } from "narrows/controls";
import { codeLength } from "narrows/codes";
import { handOf } from "narrows/hand";
import { html, useValue } from "narrows/html";
import { Shown } from "narrows/scatter";

const TOOLS = [
  { value: "decode", label: "Decode", title: "Drag: the decoder answers for the place under the pointer" },
  { value: "move", label: "Move", title: "Drag moves the map (or hold Shift)" },
  { value: "lasso", label: "Lasso", title: "Draw around dots to look at them together" },
];

/** @param {{studio: any, run: import("narrows/run").Run}} given */
export function Whereabouts({ studio, run }) {
  const size = useValue(() => codeLength(run.graph.value), [run]);
  return html`<div class="whereabouts"><h2>The narrows, seen from above</h2> <${Shown} run=${run} /></div>
    ${size > 2 ? html`<${Projections} studio=${studio} size=${size} />` : html`<span class="caption">${PLAIN[size]}</span>`}`;
}

const PLAIN = { 1: "one number: across; the height only spreads the dots", 2: "two numbers: across and up, as they are" };

/** @param {{studio: any, size: number}} given */
function Projections({ studio, size }) {
  const projection = useValue(studio.projection);
  const { tsne } = handOf(studio);
  const state = useValue(tsne.state);
  const shown = useValue(tsne.points);
  const choices = [
    { value: "code", label: "PCA", title: "The plane along which the codes differ most" },
    { value: "two", label: "First two", title: "The first two numbers of the code" },
    { value: "tsne", label: "t-SNE", title: "Neighbours stay neighbours; distances between groups say little" },
  ];
  const said = {
    code: `${size} numbers, seen along the plane in which they differ most`,
    two: `the first two of ${size} numbers`,
    tsne: state === "working" ? "t-SNE is being worked out …" : state || `t-SNE of the codes of step ${shown?.step.toLocaleString("en") ?? "…"}`,
  }[projection];
  return html`<div class="projections">
    <${Segments} label="Projection" choices=${choices} value=${projection} onChange=${(value) => (studio.projection.value = value)} />
    <span class="caption" role="status">${said}</span>
    ${projection === "tsne" && state === "" && html`<button type="button" class="plain" onClick=${() => tsne.anew()}>again</button>`}
  </div>`;
}

/** @param {{studio: any, run: import("narrows/run").Run, desk: import("narrows/views/map").Desk}} given */
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

/** @param {{studio: any, desk: import("narrows/views/map").Desk}} given */
export function Ground({ studio, desk }) {
  const ground = useValue(desk.ground);
  const plane = useValue(handOf(studio).plane);
  const projection = useValue(() => handOf(studio).points.value?.projection);
  const hint = ground
    ? !plane?.exact
      ? "Between neighbours the decoder has no ground of its own: choose another projection to see it."
      : projection === "pca"
        ? "Each tile is decoded from the plane through the held code. Paper covers places where no data is: a crisp picture there means little."
        : "Each tile is what the decoder makes of that place. Paper covers places where no data is: a crisp picture there means little."
    : HINTS[projection] ?? HINTS.code;
  return html`<p class="hint"><b>Drag on the map: the decoder answers at once.</b> <span class="quiet">${hint}</span></p>`;
}

const HINTS = {
  code: "Wheel or pinch zooms, Shift-drag moves, arrow keys move the held code.",
  pca: "A drag moves the code within this plane; what the plane does not show stays as it is.",
  two: "A drag moves these two numbers; the others stay as they are.",
  tsne: "Places here are no numbers of the code: a drag decodes the mean of the codes around it.",
};
