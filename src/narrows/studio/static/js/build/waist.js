/** The waist of the hourglass: the numbers of the code as things one can take hold of. */

import { css, token } from "narrows/draw/draw";
import { timed } from "narrows/page/beat";
import { plateOf } from "narrows/build/columns";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useValue } from "narrows/page/html";

/** @typedef {import("narrows/build/glass").Glass} Glass */

const MOST_SLIDERS = 4;
const NUDGE = 0.04;

/** Whether a code is shown as sliders. @param {import("narrows/build/columns").Column} column */
export const asSliders = ({ shape }) => shape.length === 1 && shape[0] <= MOST_SLIDERS;

/** @param {{glass: Glass, column: import("narrows/build/columns").Column, box: import("narrows/build/plates").Box}} given */
export function Waist(given) {
  return asSliders(given.column) ? html`<${Sliders} ...${given} />` : html`<${Code} ...${given} />`;
}

/** @param {{glass: Glass, column: import("narrows/build/columns").Column, box: import("narrows/build/plates").Box}} given */
function Sliders({ glass, column, box }) {
  const rows = useRef(/** @type {HTMLElement | null} */ (null));
  const ranges = useValue(glass.ranges);
  const override = useValue(glass.studio.override);
  useEffect(() => {
    const inputs = [...(rows.current?.querySelectorAll("input") ?? [])];
    const texts = [...(rows.current?.querySelectorAll("output") ?? [])];
    const show = (pass) => inputs.forEach((input, k) => showNumber(input, texts[k], pass.z[k], glass.reach.of(k)));
    glass.onCode = show;
    glass.fresh = true;
    if (glass.ready) glass.paint();
    return () => void (glass.onCode = null);
  }, [glass, column.numbers, ranges]);
  return html`<div class="waist sliders" ref=${rows} style=${placed(box)}>
    ${Array.from({ length: column.numbers }, (_, k) => {
      const take = timed((event) => glass.hold(k, event.currentTarget.valueAsNumber, event.timeStamp));
      return html`<label class="number ${k in override ? "held" : ""}" onPointerEnter=${() => point(glass, column, k, rows.current, k)}
        onPointerLeave=${() => (glass.hover.value = null)}>
        <output aria-hidden="true"></output>
        <input type="range" step="any" min=${-3} max=${3} aria-label=${nameOf(k, column.numbers)} onInput=${take}
          onPointerDown=${() => glass.grip(k)} onFocus=${() => (glass.held.value = k)} onKeyDown=${(event) => keys(event, glass, k)} />
      </label>`;
    })}
  </div>`;
}

/** @param {number} k @param {number} count */
export const nameOf = (k, count) => `number ${k + 1} of ${count} of the code`;

/** @param {HTMLInputElement} input @param {HTMLElement} text @param {number} value @param {[number, number]} reach */
function showNumber(input, text, value, [low, high]) {
  const words = value.toFixed(Math.abs(value) < 10 ? 1 : 0);
  if (text.textContent !== words) text.textContent = words;
  Object.assign(input, { min: low, max: high });
  if (input.valueAsNumber !== value) input.value = String(value);
  input.style.setProperty("--share", String(Math.max(0, Math.min(1, (value - low) / (high - low || 1)))));
}

/**
 * Say which number is under the pointer.
 * @param {Glass} glass
 * @param {any} column
 * @param {number} unit
 * @param {HTMLElement | null} parent
 * @param {number} child
 */
function point(glass, column, unit, parent, child) {
  const row = /** @type {HTMLElement | undefined} */ (parent?.children[child]);
  if (!row || !parent) return;
  const box = { x: parent.offsetLeft, y: parent.offsetTop + row.offsetTop, w: row.offsetWidth, h: row.offsetHeight };
  glass.hover.value = { name: column.name, unit, place: -1, box };
}

/** @param {KeyboardEvent} event @param {Glass} glass @param {number} unit */
function keys(event, glass, unit) {
  if (event.key === "Escape") glass.hold(unit, null);
  else if (event.key === "Delete" || event.key === "Backspace") glass.hold(unit, 0);
  else return;
  event.preventDefault();
}

/**
 * Many numbers: bars, or maps where the code is one; a bar is dragged sideways.
 * @param {{glass: Glass, column: any, box: any}} given
 */
function Code({ glass, column, box }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const override = useValue(glass.studio.override);
  const held = useValue(glass.held);
  const count = column.shape[column.shape.length - 1];
  const plate = useMemo(() => plateOf(column, { ...box, x: 0, y: 0 }, devicePixelRatio), [column, box.w, box.h]);
  useLayoutEffect(() => {
    glass.attach(column.name, canvas.current, plate, "bottleneck");
    return () => glass.attach(column.name, null, plate, "bottleneck");
  }, [glass, plate]);
  useEffect(() => {
    glass.onCode = (pass, own) => mark(glass, plate, own, column.name);
    return () => void (glass.onCode = null);
  }, [glass, plate]);
  const value = () => Math.round((override[held ?? 0] ?? glass.own?.[held ?? 0] ?? 0) * 100) / 100;
  return html`<canvas ref=${canvas} class="waist plate"
    style=${placed({ x: box.x + (box.w - plate.width) / 2, y: box.y + (box.h - plate.height) / 2, w: plate.width, h: plate.height })}
    role="slider" tabindex="0" aria-label=${nameOf(held ?? 0, count)} aria-valuenow=${value()} aria-valuemin=${glass.reach.of(held ?? 0)[0]}
    aria-valuemax=${glass.reach.of(held ?? 0)[1]} ...${handlers(glass, plate, column, count)}></canvas>`;
}

/** @param {Glass} glass @param {import("narrows/build/plates").Plate} plate @param {any} column @param {number} count */
function handlers(glass, plate, column, count) {
  const hit = (event) => {
    const edge = event.currentTarget.getBoundingClientRect();
    return plate.at(event.clientX - edge.left, event.clientY - edge.top);
  };
  const drag = timed((event) => {
    const canvas = event.currentTarget;
    if (!canvas.hasPointerCapture(event.pointerId)) return hover(glass, plate, column, hit(event), canvas);
    if (plate.bars && glass.held.peek() !== null) glass.hold(glass.held.peek(), valueAt(glass, plate, event), event.timeStamp);
    return undefined;
  });
  return {
    onPointerDown: (event) => {
      const found = hit(event);
      if (!found) return;
      glass.grip(found.unit);
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: drag,
    onPointerLeave: () => (glass.hover.value = null),
    onKeyDown: (event) => barKeys(event, glass, count),
  };
}

/**
 * The value a pointer stands at in the lane of the bar in hand.
 * @param {Glass} glass
 * @param {import("narrows/build/plates").Plate} plate
 * @param {PointerEvent} event
 */
function valueAt(glass, plate, event) {
  const canvas = /** @type {HTMLElement} */ (event.currentTarget);
  const box = /** @type {import("narrows/build/plates").Box} */ (plate.box(glass.held.peek() ?? 0));
  const along = event.clientX - canvas.getBoundingClientRect().left - box.x - box.w / 2;
  const [low, high] = glass.reach.of(glass.held.peek() ?? 0);
  const full = glass.shown.get(glass.model.graph.code.layer)?.scale ?? 1;
  return Math.max(low, Math.min(high, (along / (box.w / 2)) * full));
}

/**
 * @param {Glass} glass
 * @param {import("narrows/build/plates").Plate} plate
 * @param {any} column
 * @param {any} hit
 * @param {HTMLElement} canvas
 */
function hover(glass, plate, column, hit, canvas) {
  const box = hit && plate.box(hit.unit);
  glass.hover.value = box ? { name: column.name, ...hit, box: { ...box, x: box.x + canvas.offsetLeft, y: box.y + canvas.offsetTop } } : null;
}

/**
 * Up and down choose a number, left and right change it.
 * @param {KeyboardEvent} event
 * @param {Glass} glass
 * @param {number} count
 */
function barKeys(event, glass, count) {
  const unit = glass.held.peek() ?? 0;
  const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -16, PageDown: 16 }[event.key];
  const push = { ArrowLeft: -NUDGE, ArrowRight: NUDGE }[event.key];
  if (by) glass.held.value = Math.max(0, Math.min(count - 1, unit + by));
  else if (push) nudge(glass, unit, push, event.timeStamp);
  else return keys(event, glass, unit);
  event.preventDefault();
  return undefined;
}

/** @param {Glass} glass @param {number} unit @param {number} share @param {number} since */
function nudge(glass, unit, share, since) {
  const [low, high] = glass.reach.of(unit);
  const now = glass.studio.override.peek()[unit] ?? glass.own?.[unit] ?? 0;
  glass.held.value = unit;
  glass.hold(unit, Math.max(low, Math.min(high, now + share * (high - low))), since);
}

/**
 * Where the encoder's own number stands beside the one that is held.
 * @param {Glass} glass
 * @param {import("narrows/build/plates").Plate} plate
 * @param {Float32Array} own
 * @param {string} name
 */
function mark(glass, plate, own, name) {
  const shown = glass.shown.get(name);
  if (!shown || !plate.bars) return;
  const { context, scale } = shown;
  for (const [unit, value] of Object.entries(glass.studio.override.peek())) {
    const box = plate.box(Number(unit));
    if (!box || Number(unit) >= plate.units) continue;
    const x = (number) => box.x + box.w / 2 + Math.max(-1, Math.min(1, number / (scale || 1))) * (box.w / 2);
    context.fillStyle = css(token("muted"));
    context.fillRect(x(own[Number(unit)]) - 0.5, box.y - 1, 1, box.h + 1);
    context.fillStyle = css(token("code"));
    context.beginPath();
    context.arc(Math.max(3, Math.min(plate.width - 3, x(value))), box.y + box.h / 2, 3, 0, 2 * Math.PI);
    context.fill();
  }
}

/** @param {import("narrows/build/plates").Box} box */
export const placed = ({ x, y, w, h }) => ({ left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
