/** The filters or weights of a layer as small plates. */

import { token } from "narrows/draw/draw";
import { filters } from "narrows/nn/filters";
import { html, useLayoutEffect, useRef, useValue } from "narrows/page/html";
import { ramp } from "narrows/build/plates";

const MOST = 48;
const MOST_CELLS = 4096;

/** @param {{glass: import("narrows/build/glass").Glass, column: import("narrows/build/columns").Column, graph: any}} given */
export function Filters({ glass, column, graph }) {
  useValue(glass.seen);
  const [first] = glass.ready && glass.model.graph === graph ? weightsOf(glass.model, column) : [];
  if (!first) return html`<figure class="filters"><figcaption>weights</figcaption><p class="quiet">no weights here yet</p></figure>`;
  const shown = Math.min(MOST, first.count);
  return html`<figure class="filters"><figcaption>${titleOf(first, shown)}</figcaption>
    <div class="plates">${Array.from({ length: shown }, (_, i) => html`<${One} key=${i} glass=${glass} set=${first}
      index=${i} part=${column.part} />`)}</div></figure>`;
}

/**
 * Of a code that is only sorted or rounded, those of its projection.
 * @param {any} model @param {import("narrows/build/columns").Column} column
 */
function weightsOf(model, { layer, role }) {
  const own = filters(model, /** @type {any} */ (layer).name);
  return own.length || role !== "code" ? own : filters(model, "bottleneck.project");
}

/** @param {import("narrows/nn/filters").Plates} set @param {number} shown */
function titleOf({ name, each, count }, shown) {
  return [name, each > 1 && `, for the first of ${each} maps`, shown < count && ` · ${shown} of ${count}`].filter(Boolean).join("");
}

const COLOUR = { encoder: "encoder", bottleneck: "code", decoder: "decoder" };

/**
 * One filter, its largest weight in full colour.
 * @param {{glass: any, set: import("narrows/nn/filters").Plates, index: number, part: string}} given
 */
function One({ glass, set, index, part }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [height, width] = sides(set.shape);
  const seen = useValue(glass.seen);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const from = index * set.each * height * width;
    paint(context, set.values.subarray(from, from + height * width), width, height, ramp(COLOUR[part]));
  }, [set, index, seen, token("card").join()]);
  return html`<canvas ref=${canvas} class="filter" width=${width} height=${height} role="img"
    aria-label="weights of unit ${index + 1}"></canvas>`;
}

/** A row of weights is folded where it is long. @param {number[]} shape @returns {[number, number]} */
function sides(shape) {
  if (shape.length > 1) return [shape[shape.length - 2], shape[shape.length - 1]];
  const length = Math.min(shape[0], MOST_CELLS);
  const width = Math.ceil(Math.sqrt(length));
  return [Math.floor(length / width), width];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @param {Uint32Array} colours
 */
function paint(context, values, width, height, colours) {
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const most = values.reduce((size, value) => Math.max(size, Math.abs(value)), 1e-9);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = colours[Math.round(((values[i] / most + 1) / 2) * (colours.length - 1))];
  context.putImageData(image, 0, 0);
}
