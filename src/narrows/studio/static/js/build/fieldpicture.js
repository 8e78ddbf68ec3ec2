/** The object with what a value can see of it framed, and the rest dimmed. */

import { css, drawObject, token } from "narrows/draw/draw";
import { html, useLayoutEffect, useMemo, useRef } from "narrows/page/html";

/** @param {{graph: any, values: Float32Array, mask: Uint8Array, dark: boolean, stamp: unknown}} given */
export function FieldPicture({ graph, values, mask, dark, stamp }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const sides = graph.kind === "image" ? graph.shape.slice(-2) : [1, graph.shape[graph.shape.length - 1]];
  const frame = useMemo(() => frameOf(mask, sides), [mask, graph]);
  useLayoutEffect(() => {
    if (!canvas.current) return;
    drawObject(canvas.current, graph, values);
    veil(canvas.current, sides, mask);
  }, [graph, values, mask, dark, stamp]);
  return html`<div class="field-picture"><div class="framed">
      <canvas ref=${canvas} class="picture ${graph.kind}" role="img" aria-label="The part of the object that this value sees"></canvas>
      ${frame && html`<i style=${frame}></i>`}</div>
    <small>what it sees</small></div>`;
}

/** Cover what is not seen. @param {HTMLCanvasElement} canvas @param {number[]} sides @param {Uint8Array} mask */
function veil(canvas, [height, width], mask) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(1, 0, 0, 1, 0, 0);
  const [w, h] = [canvas.width / width, canvas.height / height];
  context.fillStyle = css(token("paper"), 0.55);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!mask[y * width + x]) context.fillRect(x * w, y * h, w + 0.5, h + 0.5);
    }
  }
}

/**
 * The smallest rectangle round what is seen, in parts of the picture; null where that is all of it.
 * @param {Uint8Array} mask
 * @param {number[]} sides
 */
function frameOf(mask, [height, width]) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let at = 0; at < width * height; at += 1) {
    if (!mask[at]) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  }
  if (right < 0 || (left === 0 && top === 0 && right === width - 1 && bottom === height - 1)) return null;
  const share = (part, whole) => `${(100 * part) / whole}%`;
  return { left: share(left, width), top: share(top, height), width: share(right - left + 1, width), height: share(bottom - top + 1, height) };
}
