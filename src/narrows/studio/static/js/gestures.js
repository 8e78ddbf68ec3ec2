/** What hands do on a plane, whatever they hold: hover, press, drag, pan, pinch, wheel and keys. */

import { timed } from "narrows/beat";

const WHEEL = 0.0022;
const KEY_PAN = 48;
/** Farther than this, in pixels, a press has become a drag. */
const SLACK = 3;

/**
 * @typedef {{x: number, y: number}} Spot In CSS pixels of the element.
 * @typedef {object} Hands
 * @property {(at: Spot) => void} hover
 * @property {() => void} leave
 * @property {(at: Spot, event: PointerEvent) => void} press With the tool, one finger or the main button.
 * @property {(at: Spot, event: PointerEvent) => void} drag
 * @property {(at: Spot, moved: boolean) => void} release
 * @property {() => void} cancel The press became a pinch.
 * @property {(across: number, down: number) => void} pan
 * @property {(factor: number, at?: Spot) => void} zoom
 * @property {(event: KeyboardEvent) => boolean} key Whether it was taken.
 * @property {() => boolean} pans Whether the main button pans.
 */

/**
 * @param {HTMLElement} element
 * @param {Hands} hands
 * @returns {() => void} Lets go.
 */
export function listen(element, hands) {
  const held = new Map();
  const spot = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  /** @type {{mode: "tool" | "pan" | "pinch", from: Spot, last: Spot, moved: boolean} | null} */
  let grip = null;

  const pinched = () => {
    const [a, b] = [...held.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  };

  const down = (event) => {
    const at = spot(event);
    element.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at);
    if (held.size === 2) {
      if (grip?.mode === "tool") hands.cancel();
      grip = { mode: "pinch", from: at, last: at, moved: true };
    } else if (held.size === 1) {
      const pans = event.button === 1 || event.button === 2 || event.shiftKey || hands.pans();
      grip = { mode: pans ? "pan" : "tool", from: at, last: at, moved: false };
      if (grip.mode === "tool") hands.press(at, event);
    }
  };

  const move = (event) => {
    const at = spot(event);
    if (!held.has(event.pointerId) || !grip) return hands.hover(at);
    if (grip.mode === "pinch") return pinch(event, at);
    held.set(event.pointerId, at);
    grip.moved ||= Math.hypot(at.x - grip.from.x, at.y - grip.from.y) > SLACK;
    if (grip.mode === "pan") hands.pan(at.x - grip.last.x, at.y - grip.last.y);
    else if (grip.moved) hands.drag(at, event);
    grip.last = at;
  };

  const pinch = (event, at) => {
    const was = pinched();
    held.set(event.pointerId, at);
    const is = pinched();
    hands.pan(is.x - was.x, is.y - was.y);
    hands.zoom(is.apart / was.apart, is);
  };

  const up = (event) => {
    if (!held.delete(event.pointerId) || !grip) return;
    if (grip.mode === "tool") hands.release(spot(event), grip.moved);
    if (!held.size) grip = null;
    // The finger that is left of a pinch must not begin to draw.
    else grip.mode = "pan";
  };

  const wheel = (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 24 : 1;
    hands.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) * WHEEL), spot(event));
  };

  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = PANS[event.key];
    if (hands.key(event)) event.preventDefault();
    else if (pan && (event.shiftKey || hands.pans())) event.preventDefault(), hands.pan(pan[0] * KEY_PAN, pan[1] * KEY_PAN);
  };

  const heard = {
    pointerdown: down,
    pointermove: move,
    pointerup: up,
    pointercancel: up,
    pointerleave: (event) => !held.size && event.pointerType === "mouse" && hands.leave(),
    wheel,
    keydown: key,
    dblclick: (event) => hands.pans() && hands.zoom(2, spot(event)),
    contextmenu: (event) => event.preventDefault(),
  };
  const timedOnes = Object.entries(heard).map(([name, handler]) => [name, timed(handler)]);
  timedOnes.forEach(([name, handler]) => element.addEventListener(name, handler, { passive: false }));
  return () => timedOnes.forEach(([name, handler]) => element.removeEventListener(name, handler));
}

/** @type {Record<string, [number, number]>} Which way the picture moves. */
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
