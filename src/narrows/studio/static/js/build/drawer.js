/** The drawer of a layer: its activations, filters and weights, its dead units, and where one value comes from. */

import { columnsOf, countText, plateOf, shapeText, valueOf } from "narrows/build/columns";
import { short } from "narrows/page/controls";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useValue } from "narrows/page/html";
import { open } from "narrows/build/hourglass";
import { Filters } from "narrows/build/filterplates";
import { Origin } from "narrows/build/origin";
import { Picture } from "narrows/draw/picture";

/** @typedef {import("narrows/build/glass").Glass} Glass */

/** @param {{studio: import("narrows/state/studio").Studio, glass: Glass, name: string}} given */
export function Drawer({ studio, glass, name }) {
  const graph = useValue(glass.drawn);
  const column = useMemo(() => graph && columnsOf(graph).find((one) => one.name === name), [graph, name]);
  const place = useValue(glass.place);
  const close = () => open(glass, null);
  const keys = (event) => event.key === "Escape" && close();
  const gone = Boolean(graph) && !column?.layer;
  useEffect(() => void (gone && close()), [gone]);
  if (!column?.layer) return null;
  const { title, shape, parameters, madds, part } = column;
  return html`<section class="drawer" aria-label="Layer ${title}" onKeyDown=${keys}>
    <div class="heading"><h2><span class="${part}-ink">${title}</span> <span
      class="quiet">${shapeText(shape)} · ${countText(parameters)} weights · ${countText(madds)} multiply-adds</span></h2>
      <button type="button" onClick=${close}>Close</button></div>
    <div class="drawer-body">
      <${Activations} glass=${glass} column=${column} />
      <${Units} studio=${studio} glass=${glass} graph=${graph} column=${column} hit=${place} />
      ${place ? html`<${Origin} studio=${studio} glass=${glass} graph=${graph} column=${column} hit=${place} />` : html`<${Filters}
        glass=${glass} column=${column} graph=${graph} />`}
    </div>
  </section>`;
}

const LARGE = { w: 250, h: 190 };

/**
 * The layer once more, larger; a click chooses a value.
 * @param {{glass: Glass, column: import("narrows/build/columns").Column}} given
 */
function Activations({ glass, column }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const key = `${column.name} large`;
  const shown = column.role === "output" ? { ...column, kind: kindOfOutput(column) } : column;
  const plate = useMemo(() => plateOf(/** @type {any} */ (shown), { x: 0, y: 0, ...LARGE }, devicePixelRatio), [column]);
  useLayoutEffect(() => {
    glass.attach(key, canvas.current, plate, column.part);
    return () => glass.attach(key, null, plate, column.part);
  }, [glass, plate]);
  const press = (event) => {
    const edge = event.currentTarget.getBoundingClientRect();
    const hit = plate.at(event.clientX - edge.left, event.clientY - edge.top);
    if (hit) open(glass, column.name, { ...hit, place: Math.max(0, hit.place) });
  };
  return html`<figure><figcaption>activations · click one to see where it comes from</figcaption>
    <canvas ref=${canvas} class="plate ${column.part}" style=${{ width: `${plate.width}px`, height: `${plate.height}px` }}
      onClick=${press} role="img" aria-label="Activations of ${column.title}, larger"></canvas></figure>`;
}

/** @param {import("narrows/build/columns").Column} column */
const kindOfOutput = ({ shape }) => (shape.length === 3 ? "maps" : shape.length === 2 ? "rows" : "bars");

/**
 * Dead units, and what the chosen one responds to.
 * @param {{studio: any, glass: Glass, graph: any, column: any, hit: any}} given
 */
function Units({ studio, glass, graph, column, hit }) {
  const answered = useValue(glass.surveys.of(column.name));
  const dark = useValue(studio.dark);
  useEffect(() => void glass.surveys.of(column.name));
  if (!answered) return html`<figure class="units"><figcaption>units</figcaption><p class="quiet">asking 200 objects …</p></figure>`;
  const { survey, objects } = answered;
  const { dead } = survey;
  const unit = hit ? valueOf(column, hit).unit : strongestUnit(survey);
  return html`<figure class="units"><figcaption><${Dead} count=${dead.length} of=${survey.units.count} /></figcaption>
    <p><b>unit ${unit + 1}</b> <span
      class="quiet">${hit ? "" : "(the liveliest) "}varies by ${short(survey.spreads[unit])}; responds most to</span></p>
    <div class="thumbs">${survey.best[unit].map(({ object }) => html`<${Picture} key=${object} look=${graph}
      values=${objects[object]} dark=${dark} label="object ${object + 1}" />`)}</div></figure>`;
}

/** @param {import("narrows/nn/survey").Survey} survey */
function strongestUnit({ spreads }) {
  return spreads.indexOf(Math.max(...spreads));
}

/** @param {{count: number, of: number}} given */
function Dead({ count, of }) {
  if (!count) return html`none of its ${of} units is dead`;
  return html`<b class="loss-ink">${count} of ${of} units are dead</b>: they say the same to every object`;
}
