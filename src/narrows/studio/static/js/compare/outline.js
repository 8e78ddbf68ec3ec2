/** A network in outline, to scale: the height of each layer is the root of its values. */

import { html } from "narrows/page/html";

const WIDTH = 240;
const HEIGHT = 62;

/** @param {{graph: any}} given */
export function Outline({ graph }) {
  if (!graph) return html`<div class="outline" aria-busy="true"></div>`;
  const { before, after } = halves(graph);
  const most = Math.max(...before, ...after);
  const height = (values) => 6 + (HEIGHT - 6) * Math.sqrt(values / most);
  const step = (WIDTH - 16) / (before.length + after.length - 2);
  const first = before.map((values, i) => ({ x: i * step, h: height(values) }));
  const last = after.map((values, i) => ({ x: WIDTH - (after.length - 1 - i) * step, h: height(values) }));
  return html`<div class="outline"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${`${graph.values} values to ${graph.code.size} and back`}>
      <path class="encoder" d=${shape(first)} /><path class="decoder" d=${shape(last)} />
      <rect class="code" x=${first.at(-1).x} y=${HEIGHT / 2 - first.at(-1).h / 2} width=${last[0].x - first.at(-1).x} height=${first.at(-1).h} rx="2" />
    </svg>
    <p class="caption">${graph.parameters.toLocaleString("en")} weights · ${graph.madds.toLocaleString("en")} multiply-adds</p></div>`;
}

/** Values that each layer with weights gives: from the object to the code, and from the code to the object. */
function halves({ values, code, layers }) {
  const size = (code.grid ?? []).reduce((all, side) => all * side, code.size);
  const of = (part) => layers.filter((layer) => layer.part === part && layer.parameters > 0).map(({ out }) => out.reduce((a, b) => a * b, 1));
  return { before: [values, ...of("encoder"), size], after: [size, ...of("decoder").slice(0, -1), values] };
}

/** @param {{x: number, h: number}[]} edges */
function shape(edges) {
  const upper = edges.map(({ x, h }) => `${x},${HEIGHT / 2 - h / 2}`);
  const lower = edges.map(({ x, h }) => `${x},${HEIGHT / 2 + h / 2}`).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}
