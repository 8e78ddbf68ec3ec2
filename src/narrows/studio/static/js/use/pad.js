/** A pad to draw on. */

import { css, token } from "narrows/draw/draw";
import { html, useEffect, useRef, useValue } from "narrows/page/html";
import { timed } from "narrows/page/beat";

const SIDE = 280;

/** @param {HTMLCanvasElement} canvas */
const pen = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

/**
 * @param {{studio: import("narrows/state/studio").Studio, aspect: number, onInk: (canvas: HTMLCanvasElement) => void, blank: number}} given
 *   `blank` empties the pad when it changes; `aspect` is width by height.
 */
export function Pad({ studio, aspect, onInk, blank }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const last = useRef(/** @type {number[] | null} */ (null));
  const dark = useValue(studio.dark);
  useEffect(() => wiped(canvas.current), [blank]);
  useEffect(() => recolour(canvas.current), [dark]);
  const place = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const { width, height } = event.currentTarget;
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  const draw = timed((/** @type {any} */ event) => {
    const now = place(event);
    stroke(event.currentTarget, last.current ?? now, now);
    last.current = now;
    onInk(event.currentTarget);
  });
  const begin = (event) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    last.current = null;
    draw(event);
  };
  return html`<canvas ref=${canvas} class="pad" width=${SIDE} height=${Math.round(SIDE / aspect)} role="img" aria-label="Draw here with the pointer"
    onPointerDown=${begin} onPointerMove=${(event) => event.currentTarget.hasPointerCapture(event.pointerId) && draw(event)}></canvas>`;
}

/** @param {HTMLCanvasElement | null} canvas */
const wiped = (canvas) => canvas && pen(canvas).clearRect(0, 0, canvas.width, canvas.height);

/** @param {HTMLCanvasElement} canvas @param {number[]} from @param {number[]} to */
function stroke(canvas, from, to) {
  const context = pen(canvas);
  Object.assign(context, { strokeStyle: css(token("ink")), lineWidth: canvas.width / 11, lineCap: "round" });
  context.beginPath();
  context.moveTo(from[0], from[1]);
  context.lineTo(to[0], to[1]);
  context.stroke();
}

/** The ink in the colour of the theme. @param {HTMLCanvasElement | null} canvas */
function recolour(canvas) {
  if (!canvas) return;
  const context = pen(canvas);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = css(token("ink"));
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}
