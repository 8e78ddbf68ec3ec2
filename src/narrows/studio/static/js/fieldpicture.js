/** The object with what a value can see of it: the rest is dimmed. */

import { css, drawObject, token } from "narrows/draw";
import { html, useLayoutEffect, useRef } from "narrows/html";

/** @param {{graph: any, values: Float32Array, mask: Uint8Array, dark: boolean, stamp: unknown}} given */
export function FieldPicture({ graph, values, mask, dark, stamp }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useLayoutEffect(() => {
    if (!canvas.current) return;
    drawObject(canvas.current, graph, values);
    veil(canvas.current, graph, mask);
  }, [graph, values, mask, dark, stamp]);
  return html`<div class="field-picture"><canvas ref=${canvas} class="picture ${graph.kind}" role="img" aria-label="The part of the object that this value sees"></canvas>
    <small>what it sees</small></div>`;
}

/** Cover what is not seen. @param {HTMLCanvasElement} canvas @param {any} graph @param {Uint8Array} mask */
function veil(canvas, { kind, shape }, mask) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [height, width] = kind === "image" ? shape.slice(-2) : [1, shape[shape.length - 1]];
  context.setTransform(1, 0, 0, 1, 0, 0);
  const [w, h] = [canvas.width / width, canvas.height / height];
  context.fillStyle = css(token("paper"), 0.78);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!mask[y * width + x]) context.fillRect(x * w, y * h, w + 0.5, h + 0.5);
    }
  }
}
