/** The network as an hourglass to scale, alive: one column a layer, the code in its waist, what was lost under the output. */

import { CodeBar } from "narrows/build/codebar";
import { columnsOf, countText, layAcross, layDown, plateOf, shapeText } from "narrows/build/columns";
import { lossShare, lossText } from "narrows/draw/loss";
import { NOUNS, short } from "narrows/page/controls";
import { inRoom } from "narrows/build/fold";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useValue } from "narrows/page/html";
import { canAdd, canRemove, listed, withLayer, withoutLayer } from "narrows/build/layers";
import { GATES } from "narrows/build/plates";
import { UnitLens } from "narrows/build/unitlens";
import { asSliders, placed as at, Waist } from "narrows/build/waist";

/**
 * @typedef {import("narrows/state/studio").Studio} Studio
 * @typedef {import("narrows/build/glass").Glass} Glass
 * @typedef {import("narrows/build/columns").Placed} Placed
 */

const NARROW = 640;
const HINT = 44;
/** A label narrower than this is written smaller. */
const TIGHT = 70;
/** Under an output narrower than this "what was lost" has no room. */
const FEW_WORDS = 112;
/** Height of the words under what was lost. */
const WORD = 20;

/** @param {{studio: Studio, glass: Glass}} given */
export function Hourglass({ studio, glass }) {
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const graph = useValue(glass.drawn);
  const size = useSize(frame);
  const down = size.width < NARROW;
  const opened = useValue(studio.layer);
  const laid = useMemo(() => graph && size.width && lay(graph, size, down, opened), [graph, size.width, size.height, down, opened]);
  return html`<section class="hourglass ${down ? "down" : "across"}" aria-label="The network, alive" ref=${frame}>
    ${laid ? html`<${Drawing} studio=${studio} glass=${glass}
      graph=${graph} laid=${laid} down=${down} />` : html`<${Nothing} studio=${studio} />`}
  </section>`;
}

/** @param {any} graph @param {{width: number, height: number}} size @param {boolean} down @param {string | null} opened */
function lay(graph, { width, height }, down, opened) {
  const columns = columnsOf(graph);
  const room = { width, height: Math.max(300, height - HINT) };
  return down ? layDown(columns, room) : layAcross(inRoom(columns, room, opened), room);
}

/** What is said before there is a network. @param {{studio: Studio}} given */
function Nothing({ studio }) {
  const banner = useValue(studio.banner);
  return html`<p class="empty">${banner?.tone === "error"
    ? "This recipe cannot be drawn. Change it on the left: the sentence above says what is possible."
    : "The recipe is being read; the network appears here in a moment."}</p>`;
}

/**
 * @param {{studio: Studio, glass: Glass, graph: any, laid: {placed: Placed[], width: number, height: number}, down: boolean}} given
 */
function Drawing({ studio, glass, graph, laid, down }) {
  const { placed, width, height } = laid;
  const waist = placed.find(({ column }) => column.role === "code");
  return html`
    <div class="scroll" onPointerLeave=${() => (glass.hover.value = null)}>
      <div class="glass" style=${{ width: `${width}px`, height: `${height}px` }}>
        <${Ground} placed=${placed} width=${width} height=${height} down=${down} />
        ${!down && html`<${Words} placed=${placed} />`}
        ${placed.map((one) => html`<${Column} key=${one.column.name + one.column.role} glass=${glass} studio=${studio}
          graph=${graph} ...${one} down=${down} />`)}
        <${Edits} studio=${studio} graph=${graph} placed=${placed} down=${down} />
        <${Mark} glass=${glass} />
        <${UnitLens} glass=${glass} studio=${studio} graph=${graph} width=${width} height=${height} down=${down} waist=${edgeOf(waist)} />
      </div>
    </div>
    <${CodeBar} glass=${glass} graph=${graph} />`;
}

/** The upper edge of the violet box. @param {Placed} waist */
const edgeOf = ({ column, box, thick }) => box.y + box.h / 2 - Math.max(thick, heightOfCode(column, box) + 16) / 2;

/**
 * The trapezoids: as thick as the side of a square of as many values.
 * @param {{placed: Placed[], width: number, height: number, down: boolean}} given
 */
function Ground({ placed, width, height, down }) {
  const turn = placed.findIndex(({ column }) => column.role === "code");
  const { box } = placed[turn];
  const across = (one) => (down ? one.box.x + one.box.w / 2 : one.box.y + one.box.h / 2);
  const [from, to] = down ? [box.y, box.y + box.h] : [box.x, box.x + box.w];
  const point = (main, cross) => (down ? `${cross},${main}` : `${main},${cross}`);
  const shape = (knots) => {
    const side = (sign) => knots.map(([main, one]) => point(main, across(one) + (sign * one.thick) / 2));
    return [...side(-1), ...side(1).reverse()].join(" ");
  };
  const edge = (one, end) => (down ? one.box.y + (end ? one.box.h : 0) : one.box.x + (end ? one.box.w : 0));
  const encoder = [[edge(placed[0], false), placed[0]], ...placed.slice(1, turn).map((one) => [one.middle, one]), [from, placed[turn]]];
  const last = placed[placed.length - 1];
  const decoder = [[to, placed[turn]], ...placed.slice(turn + 1, -1).map((one) => [one.middle, one]), [edge(last, true), last]];
  return html`<svg class="ground" width=${width} height=${height} viewBox="0 0 ${width} ${height}" aria-hidden="true">
    <title>As thick as the side of a square of as many values</title>
    <polygon class="encoder" points=${shape(encoder)} />
    <polygon class="decoder" points=${shape(decoder)} />
    <${Throat} placed=${placed[turn]} down=${down} />
  </svg>`;
}

/** @param {{placed: Placed, down: boolean}} given */
function Throat({ placed: { box, thick, column }, down }) {
  const pad = asSliders(column) ? 4 : 8;
  const cross = Math.max(thick, (down ? box.w : heightOfCode(column, box)) + 2 * pad);
  const [x, y, w, h] = down ? [box.x + box.w / 2 - cross / 2, box.y, cross, box.h] : [box.x, box.y + box.h / 2 - cross / 2, box.w, cross];
  return html`<rect class="code" x=${x} y=${y} width=${w} height=${h} rx="3" />
    ${!down && html`<line class="thread" x1=${x + w / 2} x2=${x + w / 2} y1="30" y2=${y - 4} />`}`;
}

/** @param {import("narrows/build/columns").Column} column @param {import("narrows/build/columns").Box} box */
const heightOfCode = (column, box) => (asSliders(column) ? column.numbers * 34 : box.h);

/** The names of the three parts, above them. @param {{placed: Placed[]}} given */
function Words({ placed }) {
  const middle = (part) => {
    const own = placed.filter(({ column }) => column.part === part || (column.part === "object" && part === "encoder"));
    return (own[0].box.x + own[own.length - 1].box.x + own[own.length - 1].box.w) / 2;
  };
  return ["encoder", "bottleneck", "decoder"].map((part) => html`<b class="part-word ${part}"
    style=${{ left: `${middle(part)}px` }}>${part}</b>`);
}

/** @param {Placed & {glass: Glass, studio: Studio, graph: any, down: boolean}} given */
function Column({ glass, studio, graph, column, box, label, down }) {
  const body = {
    code: () => html`<${Waist} glass=${glass} column=${column} box=${inner(column, box, down)} />`,
    layer: () => html`<${Plate} glass=${glass} column=${column} box=${box} />`,
    input: () => html`<${Whole} glass=${glass} graph=${graph} which="input" box=${box} down=${down} />`,
    output: () => html`<${Whole} glass=${glass} graph=${graph} which="output" box=${box} down=${down} floor=${label.y} />`,
  };
  return html`${body[column.role]()}<${Label} studio=${studio} glass=${glass} graph=${graph} column=${column} box=${label} down=${down} />`;
}

/**
 * The waist's own box, with room to the violet edge.
 * @param {import("narrows/build/columns").Column} column
 * @param {import("narrows/build/columns").Box} box
 * @param {boolean} down
 */
function inner(column, box, down) {
  const h = heightOfCode(column, box);
  const pad = down ? 10 : 8;
  return { x: box.x + pad, y: box.y + box.h / 2 - h / 2, w: box.w - 2 * pad, h };
}

/**
 * Live activations of a layer.
 * @param {{glass: Glass, column: import("narrows/build/columns").Column, box: import("narrows/build/columns").Box}} given
 */
function Plate({ glass, column, box }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const plate = useMemo(() => plateOf(column, { x: 0, y: 0, w: box.w, h: box.h }, devicePixelRatio), [column, box.w, box.h]);
  const place = { x: box.x + (box.w - plate.width) / 2, y: box.y + (box.h - plate.height) / 2, w: plate.width, h: plate.height };
  useLayoutEffect(() => {
    glass.attach(column.name, canvas.current, plate, column.part);
    return () => glass.attach(column.name, null, plate, column.part);
  }, [glass, plate]);
  const show = (hit) => {
    const own = hit && plate.box(hit.unit);
    glass.hover.value = own ? { name: column.name, ...hit, box: { ...own, x: own.x + place.x, y: own.y + place.y } } : null;
  };
  const over = (event) => {
    const edge = event.currentTarget.getBoundingClientRect();
    const hit = plate.at(event.clientX - edge.left, event.clientY - edge.top);
    const old = glass.hover.peek();
    if (old?.name !== column.name || old?.unit !== hit?.unit || old?.text !== hit?.text || old?.place !== hit?.place) show(hit);
  };
  const keys = (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const old = glass.hover.peek();
    const unit = old?.name === column.name ? old.unit : 0;
    if (by) show({ unit: (unit + by + plate.units) % plate.units, place: -1 });
    else if (event.key === "Enter") open(glass, column.name, old?.name === column.name ? old : { unit, place: -1 });
    else if (event.key === "Escape") glass.hover.value = null;
    else return;
    event.preventDefault();
  };
  const press = () => open(glass, column.name, glass.hover.peek());
  return html`${column.kind === "gates" && html`<${GateNames} box=${place} />`}<canvas ref=${canvas} class="plate ${column.part}"
    style=${at(place)} tabindex="0" role="img"
    aria-label="Activations of ${column.title}, ${shapeText(column.shape)}. Arrow keys go along its units, Enter opens one."
    onPointerMove=${over} onPointerLeave=${() => show(null)} onBlur=${() => show(null)} onKeyDown=${keys} onClick=${press}></canvas>`;
}

/** The initials of the gates beside their strips. @param {{box: import("narrows/build/columns").Box}} given */
function GateNames({ box }) {
  const names = Object.entries(GATES);
  return html`<div class="gate-names" style=${at({ ...box, x: box.x - 13, w: 12 })} aria-hidden="true">
    ${names.map(([name, words]) => html`<span key=${name} title="${name}: ${words}">${name[0]}</span>`)}</div>`;
}

/**
 * Open a layer, and a value of it, in the drawer.
 * @param {Glass} glass
 * @param {string | null} layer
 * @param {import("narrows/build/plates").Hit | null} [hit]
 */
export function open(glass, layer, hit = null) {
  glass.studio.layer.value = layer;
  glass.studio.unit.value = hit?.unit ?? null;
  glass.place.value = hit;
}

/**
 * The object before and after.
 * @param {{glass: Glass, graph: any, which: "input"|"output", box: import("narrows/build/columns").Box, down: boolean, floor?: number}} given `floor`: where the labels begin.
 */
function Whole({ glass, graph, which, box, down, floor = Infinity }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const lost = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const size = sizeOfObject(graph, box);
  useLayoutEffect(() => {
    glass.picture(which, canvas.current);
    if (which === "output") glass.picture("lost", lost.current);
    return () => (glass.picture(which, null), which === "output" && glass.picture("lost", null));
  }, [glass, graph, size.w, size.h]);
  const place = { x: box.x + (box.w - size.w) / 2, y: box.y + box.h / 2 - size.h / 2, ...size };
  const small = down ? { x: place.x + size.w + 8, y: place.y, w: size.w * 0.5, h: size.h * 0.5 } : below(place, floor);
  return html`<canvas ref=${canvas} class="picture ${graph.kind}" style=${at(place)} role="img"
      aria-label=${which === "input" ? "What goes in" : "What comes out"}></canvas>
    ${which === "output" && html`<canvas ref=${lost} class="picture lost ${graph.kind}" style=${at(small)} role="img"
      aria-label="What was lost"></canvas>
      <${Lost} glass=${glass} graph=${graph} few=${down || box.w < FEW_WORDS} x=${small.x + small.w / 2} y=${small.y + small.h + 4} />`}
    ${which === "input" && !down && html`<${Whose} glass=${glass} graph=${graph} x=${box.x + box.w / 2} y=${place.y + size.h + 8} />`}`;
}

/**
 * What was lost hangs under the output, as large as the words under it leave room.
 * @param {import("narrows/build/columns").Box} place @param {number} floor
 */
export function below({ x, y, w, h }, floor) {
  const top = y + h + 8;
  const share = Math.max(0.2, Math.min(0.58, (floor - top - WORD) / h));
  return { x: x + (w - w * share) / 2, y: top, w: w * share, h: h * share };
}

/** A picture keeps its own proportions, a curve is wide. @param {any} graph @param {import("narrows/build/columns").Box} box */
function sizeOfObject(graph, { w, h }) {
  if (graph.kind !== "image") return { w, h: Math.min(h, w * 0.62) };
  const [height, width] = graph.shape.slice(-2);
  const scale = Math.min(w / width, h / height);
  return { w: width * scale, h: height * scale };
}

/** @param {{glass: Glass, graph: any, few: boolean, x: number, y: number}} given `few`: there is no room for many words. */
function Lost({ glass, graph, few, x, y }) {
  const seen = useValue(glass.seen);
  const share = seen ? lossShare(graph, seen.error) : "";
  return html`<p class="lost-word" title=${seen ? `mean squared error ${lossText(graph, seen.error)}` : ""} style=${{ left: `${x}px`, top: `${y}px` }}>
    <b>${few || share ? "lost" : "what was lost"}</b> <small>${share || (seen ? short(seen.error) : "")}</small></p>`;
}

/** Which object it is. @param {{glass: Glass, graph: any, x: number, y: number}} given */
function Whose({ glass, graph, x, y }) {
  const index = useValue(glass.index);
  const label = useValue(() => glass.studio.run.value?.labels.value?.[index] ?? -1, [index]);
  const words = [`${(NOUNS[graph.kind] ?? ["object"])[0]} ${index + 1}`, label >= 0 && graph.classes[label]].filter(Boolean).join(" · ");
  return html`<small class="whose" style=${{ left: `${x}px`, top: `${y}px` }}>${words}</small>`;
}

/**
 * Name, shape, weights and multiply-adds, and the way into the layer.
 * @param {{studio: Studio, glass: Glass, graph: any, column: import("narrows/build/columns").Column, box: import("narrows/build/columns").Box, down: boolean}} given
 */
function Label({ studio, glass, graph, column, box, down }) {
  const opened = useValue(() => studio.layer.value === column.name, [column.name]);
  const lines = [shapeText(column.shape), ...numbersOf(column, graph, down)];
  if (!column.layer) return html`<div class="column-label"
    style=${at(box)}><b>${column.title}</b>${lines.map((line) => html`<span>${line}</span>`)}</div>`;
  return html`<button type="button" class="column-label ${box.w < TIGHT ? "tight" : ""}" style=${at(box)} aria-expanded=${opened}
    title=${spoken(column)} onClick=${() => open(glass, opened ? null : column.name)} onFocus=${() => (glass.hover.value = null)}>
    <b>${column.title}${column.count ? html` <i>×${column.count}</i>` : ""}</b>${lines.map((line) => html`<span>${line}</span>`)}
  </button>`;
}

/**
 * The input's column names the lines of the others.
 * @param {import("narrows/build/columns").Column} column
 * @param {any} graph
 * @param {boolean} down
 */
function numbersOf(column, graph, down) {
  if (column.role === "input") return down ? [] : ["weights", "multiply-adds"];
  const unit = down ? [" weights", " mult-adds"] : ["", ""];
  return [countText(column.parameters) + unit[0], countText(column.madds) + unit[1]];
}

/** @param {import("narrows/build/columns").Column} column */
const spoken = ({ title, shape, parameters, madds, count }) =>
  [
    `${title}: ${count ? `${count} layers of ` : ""}${shapeText(shape)} values`,
    `${parameters.toLocaleString("en")} weights`,
    `${madds.toLocaleString("en")} multiply-adds for one object. Click to ${count ? "see each of them" : "open"}.`,
  ].join(", ");

/** Layers more and fewer, on the drawing itself. @param {{studio: Studio, graph: any, placed: Placed[], down: boolean}} given */
function Edits({ studio, graph, placed, down }) {
  const recipe = useValue(studio.recipe);
  if (!recipe) return null;
  const encoder = placed.filter(({ column }) => column.editAt !== null);
  const turn = placed.findIndex(({ column }) => column.role === "code");
  const stops = [placed[0], ...encoder, placed[turn]];
  const between = (a, b) =>
    down
      ? { x: b.box.x + b.box.w / 2 - 10, y: (a.box.y + a.box.h + b.box.y) / 2 - 10 }
      : { x: (a.box.x + a.box.w + b.box.x) / 2 - 10, y: topOf(a, b) - 26 };
  const add = canAdd(recipe) && encoder.length === listed(recipe)?.length ? stops.slice(1).map((stop, i) => ({ i, ...between(stops[i], stop) })) : [];
  return html`
    ${add.map(({ i, x, y }) => html`<button type="button" class="edit add" style=${{ left: `${x}px`, top: `${y}px` }}
      aria-label="Add a layer here" title="Add a layer here; the decoder mirrors it"
      onClick=${() => studio.edit(withLayer(recipe, i, graph.values))}>+</button>`)}
    ${canRemove(recipe) && encoder.map(({ column, box, thick }) => html`<button type="button" class="edit remove"
      style=${{ left: `${box.x + box.w / 2 - 10}px`, top: `${Math.max(24, box.y + box.h / 2 - Math.max(thick, box.h) / 2 - 24)}px` }}
      aria-label="Remove ${column.title}" title="Remove this layer; the decoder mirrors it"
        onClick=${() => studio.edit(withoutLayer(recipe, column.editAt ?? 0))}>×</button>`)}`;
}

/** The upper edge of the hourglass halfway between two columns. @param {Placed} a @param {Placed} b */
const topOf = (a, b) => Math.max(52, a.box.y + a.box.h / 2 - (a.thick + b.thick) / 4);

/** A frame round the unit under the pointer. @param {{glass: Glass}} given */
function Mark({ glass }) {
  const hover = useValue(glass.hover);
  if (!hover) return null;
  const { x, y, w, h } = hover.box;
  return html`<i class="unit-mark" style=${at({ x: x - 2, y: y - 2, w: w + 4, h: h + 4 })}></i>`;
}

/** The width and height of an element as it changes. @param {{current: HTMLElement | null}} element */
function useSize(element) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (!element.current) return undefined;
    const tell = ({ width, height }) => setSize({ width: Math.floor(width), height: Math.floor(height) });
    const watcher = new ResizeObserver(([{ contentRect }]) => tell(contentRect));
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return size;
}
