/** The lens: what the unit under the pointer is, what it says now, and what it responds to. */

import { columnsOf, LABEL, valueOf } from "narrows/build/columns";
import { short } from "narrows/page/controls";
import { html, useEffect, useMemo, useRef, useState, useValue } from "narrows/page/html";
import { Picture } from "narrows/draw/picture";

/** @typedef {import("narrows/build/glass").Glass} Glass */

const WAIT_MS = 140;
const WIDTH = 236;
const SHOWN = 6;
const STEPS = 5;
const TURN_MS = 60;

/**
 * @param {{glass: Glass, studio: import("narrows/state/studio").Studio, graph: any, width: number, height: number, down: boolean, waist: number}} given `waist` is its upper edge.
 */
export function UnitLens({ glass, studio, graph, width, height, down, waist }) {
  const hover = useValue(glass.hover);
  const columns = useMemo(() => columnsOf(graph), [graph]);
  const settled = useSettled(hover && `${hover.name} ${hover.unit}`);
  const column = hover && columns.find(({ name, role }) => name === hover.name && role !== "output");
  if (!hover || !column?.layer || !settled || !glass.ready) return null;
  const { box } = hover;
  const left = Math.max(4, Math.min(width - WIDTH - 4, box.x + box.w / 2 - WIDTH / 2));
  const place = placeOf(hover, column, { down, height, waist });
  return html`<div class="unit-lens card" role="status" style=${{ left: `${left}px`, width: `${WIDTH}px`, ...place }}>
    <${Says} glass=${glass} column=${column} hover=${hover} />
    ${column.role === "code"
      ? html`<${Traversal} glass=${glass} studio=${studio} graph=${graph} unit=${hover.unit} />`
      : html`<${Favourites} glass=${glass} studio=${studio} graph=${graph} column=${column} hover=${hover} />`}
  </div>`;
}

/**
 * Out of the way: at the foot of the drawing, for the code above its waist, on a phone under the unit.
 * @param {any} hover
 * @param {any} column
 * @param {{down: boolean, height: number, waist: number}} at
 */
function placeOf({ box }, { role }, { down, height, waist }) {
  if (down) return { top: `${box.y + box.h + 8}px` };
  return role === "code" ? { bottom: `${height - waist + 10}px` } : { top: `${height - LABEL}px` };
}

/** True once a key has stayed the same for a moment. @param {string | null} key */
function useSettled(key) {
  const [settled, setSettled] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    if (key === null) return setSettled(null);
    const timer = setTimeout(() => setSettled(key), settled ? 0 : WAIT_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return key !== null && settled !== null;
}

/** @param {{glass: Glass, column: import("narrows/build/columns").Column, hover: import("narrows/build/glass").Hover}} given */
function Says({ glass, column, hover }) {
  useValue(glass.seen);
  const { index } = valueOf(column, hover);
  const value = glass.model?.trace[column.name]?.[index];
  const noun = column.kind === "maps" ? "map" : "unit";
  return html`<p><b class="${column.part}-ink">${column.title} · ${column.role === "code" ? "number" : noun} ${hover.unit + 1}</b>
    ${hover.text ? html`<br /><small>${hover.text}</small>` : html` says ${short(value === undefined ? value : Math.round(value * 1000) / 1000)}`}</p>`;
}

/** The objects it answers to most strongly. @param {{glass: Glass, studio: any, graph: any, column: any, hover: any}} given */
function Favourites({ glass, studio, graph, column, hover }) {
  const answered = useValue(glass.surveys.of(column.name));
  const dark = useValue(studio.dark);
  const { unit } = valueOf(column, hover);
  if (!answered) return html`<small>asking 200 objects …</small>`;
  const { survey, objects } = answered;
  const best = survey.best[unit].slice(0, SHOWN);
  if (survey.dead.includes(unit)) return html`<small>dead: it says the same to every object</small>`;
  return html`<small>responds most to</small>
    <div class="thumbs">${best.map(({ object }) => html`<${Picture} key=${object} look=${graph} values=${objects[object]}
      dark=${dark} label="object ${object + 1}" />`)}</div>`;
}

/** What the output becomes along one number of the code. @param {{glass: Glass, studio: any, graph: any, unit: number}} given */
function Traversal({ glass, studio, graph, unit }) {
  const dark = useValue(studio.dark);
  const turn = useTurn();
  const kept = useRef(/** @type {any} */ ([]));
  useValue(glass.ranges);
  const model = useMemo(() => glass.source?.twin(), [glass.source]);
  if (!model || !glass.own) return null;
  const [low, high] = glass.reach.of(unit);
  // One of them a turn: five decodes in one frame would be felt in a drag.
  if (kept.current.unit !== unit) kept.current = Object.assign([], { unit });
  const at = turn % STEPS;
  kept.current[at] = along(model, glass, unit, low + ((high - low) * at) / (STEPS - 1));
  return html`<small>${short(Math.round(low * 10) / 10)} to ${short(Math.round(high * 10) / 10)}, the others as they are</small>
    <div class="thumbs five">${Array.from(
      { length: STEPS },
      (_, i) => html`<${Picture} key=${i} look=${graph} values=${kept.current[i] ?? null} dark=${dark} stamp=${turn} label="step ${i + 1} of ${STEPS}" />`,
    )}</div>`;
}

/** A number that goes up a few times a second. */
function useTurn() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const clock = setInterval(() => setTurn((n) => n + 1), TURN_MS);
    return () => clearInterval(clock);
  }, []);
  return turn;
}

/** @param {any} model @param {Glass} glass @param {number} unit @param {number} value */
function along(model, glass, unit, value) {
  const z = Float32Array.from(glass.model.z);
  for (let at = unit; at < z.length; at += model.graph.code.size) z[at] = value;
  return Float32Array.from(model.decode(z).y);
}
