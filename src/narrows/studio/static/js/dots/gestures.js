/** What hands do on a plane, whatever they hold: hover, press, drag, pan, pinch, wheel and keys. */

import { timed } from "narrows/page/beat";

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
  const grip = new Grip(element, hands);
  const stop = new AbortController();
  for (const name of HEARD) {
    element.addEventListener(name, timed((event) => grip[name](event)), { passive: false, signal: stop.signal });
  }
  return () => stop.abort();
}

const HEARD = /** @type {const} */ ([
  "pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "wheel", "keydown", "dblclick", "contextmenu",
]);

/** What the pointers on one element do: each event has a method of its name. */
class Grip {
  /** @param {HTMLElement} element @param {Hands} hands */
  constructor(element, hands) {
    this.element = element;
    this.hands = hands;
    /** Where each pointer is that is pressed. @type {Map<number, Spot>} */
    this.held = new Map();
    /** @type {"" | "tool" | "pan" | "pinch"} */
    this.mode = "";
    this.from = this.last = { x: 0, y: 0 };
    this.moved = false;
  }

  /** @param {MouseEvent} event @returns {Spot} */
  spot(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  pointerdown(event) {
    const at = this.spot(event);
    this.element.setPointerCapture(event.pointerId);
    this.held.set(event.pointerId, at);
    if (this.held.size === 2) this.begin("pinch", at);
    else if (this.held.size === 1) this.begin(event.button || event.shiftKey || this.hands.pans() ? "pan" : "tool", at);
    if (this.mode === "tool") this.hands.press(at, event);
  }

  /** @param {"tool" | "pan" | "pinch"} mode @param {Spot} at */
  begin(mode, at) {
    if (this.mode === "tool") this.hands.cancel();
    this.mode = mode;
    this.from = this.last = at;
    this.moved = false;
  }

  /** @param {PointerEvent} event */
  pointermove(event) {
    const at = this.spot(event);
    if (!this.held.has(event.pointerId) || !this.mode) return this.hands.hover(at);
    if (this.mode === "pinch") return this.pinch(event, at);
    this.held.set(event.pointerId, at);
    this.moved ||= Math.hypot(at.x - this.from.x, at.y - this.from.y) > SLACK;
    if (this.mode === "pan") this.hands.pan(at.x - this.last.x, at.y - this.last.y);
    else if (this.moved) this.hands.drag(at, event);
    this.last = at;
  }

  /** @param {PointerEvent} event @param {Spot} at */
  pinch(event, at) {
    const was = this.pinched();
    this.held.set(event.pointerId, at);
    const is = this.pinched();
    this.hands.pan(is.x - was.x, is.y - was.y);
    this.hands.zoom(is.apart / was.apart, is);
  }

  /** The middle of two fingers, and how far apart they are. */
  pinched() {
    const [a, b] = [...this.held.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  /** @param {PointerEvent} event */
  pointerup(event) {
    if (!this.held.delete(event.pointerId)) return;
    if (this.mode === "tool") this.hands.release(this.spot(event), this.moved);
    // The finger that is left of a pinch must not begin to draw.
    this.mode = this.held.size ? "pan" : "";
    this.last = [...this.held.values()][0] ?? this.last;
  }

  /** @param {PointerEvent} event */
  pointercancel(event) {
    this.pointerup(event);
  }

  /** @param {PointerEvent} event */
  pointerleave(event) {
    if (!this.held.size && event.pointerType === "mouse") this.hands.leave();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 24 : 1;
    this.hands.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) * WHEEL), this.spot(event));
  }

  /** @param {KeyboardEvent} event */
  keydown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = PANS[event.key];
    if (this.hands.key(event)) event.preventDefault();
    else if (pan && (event.shiftKey || this.hands.pans())) {
      event.preventDefault();
      this.hands.pan(pan[0] * KEY_PAN, pan[1] * KEY_PAN);
    }
  }

  /** @param {MouseEvent} event */
  dblclick(event) {
    if (this.hands.pans()) this.hands.zoom(2, this.spot(event));
  }

  /** @param {MouseEvent} event */
  contextmenu(event) {
    event.preventDefault();
  }
}

/** @type {Record<string, [number, number]>} Which way the picture moves. */
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
