/** A picture of one's own brought to the shape, the values and the place that a model's pictures have. */

import { scaled } from "narrows/nn/nn";

const INK = 0.25;
const LARGEST = 16384 * 16384;

/**
 * @typedef {{low: number, high: number}} Layout Bounds of raw values.
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {{values: Float32Array, notes: string[]}} Fitted Scaled values (D,), and what had to be done, a sentence each.
 */

/**
 * A picture file as the model reads it.
 * @param {File} file
 * @param {any} graph
 * @param {Layout} layout
 * @param {Float32Array[]} examples Some of the data's own objects.
 * @returns {Promise<Fitted>}
 */
export async function fitFile(file, graph, layout, examples) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is not a picture this browser can read. Try a PNG or JPEG.`);
  });
  if (bitmap.width * bitmap.height > LARGEST) throw new Error("That picture is too large. Scale it down first.");
  const [height, width] = graph.shape.slice(-2);
  const crop = middle(bitmap.width, bitmap.height, width / height);
  const notes = [`${bitmap.width} × ${bitmap.height} pixels brought to ${width} × ${height}`];
  if (crop.width !== bitmap.width || crop.height !== bitmap.height) notes.push("cut to its middle");
  return shaped(bitmap, crop, { graph, layout, examples, notes });
}

/**
 * Ink on a canvas (its alpha) as the model reads it, placed where the data has its ink.
 * @param {HTMLCanvasElement} canvas
 * @param {any} graph
 * @param {Layout} layout
 * @param {Float32Array[]} examples
 * @returns {Fitted | null} Null for an empty canvas.
 */
export function fitDrawing(canvas, graph, layout, examples) {
  const { width, height } = canvas;
  const pixels = context(canvas).getImageData(0, 0, width, height).data;
  const box = boxOf((i) => pixels[4 * i + 3] / 255, width, height);
  if (!box) return null;
  const black = blank(width, height, (draw) => draw.drawImage(canvas, 0, 0), { invert: true });
  const target = averageBox(examples, graph);
  return shaped(black, target ? around(box, target, graph) : { x: 0, y: 0, width, height }, { graph, layout, examples, notes: [] });
}

/** @param {HTMLCanvasElement | OffscreenCanvas} canvas @returns {any} */
const context = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

/**
 * A canvas with something drawn on black; `invert` makes of the drawing's alpha white ink.
 * @param {number} width @param {number} height @param {(context: any) => void} draw @param {{invert?: boolean}} [how]
 */
function blank(width, height, draw, { invert = false } = {}) {
  const canvas = new OffscreenCanvas(width, height);
  const on = context(canvas);
  draw(on);
  if (invert) {
    on.globalCompositeOperation = "source-in";
    on.fillStyle = "#fff";
    on.fillRect(0, 0, width, height);
  }
  on.globalCompositeOperation = "destination-over";
  on.fillStyle = "#000";
  on.fillRect(0, 0, width, height);
  return canvas;
}

/**
 * Scale, turn to grey if need be, and bring to the model's values.
 * @param {CanvasImageSource} source
 * @param {Box} crop
 * @param {{graph: any, layout: Layout, examples: Float32Array[], notes: string[]}} given
 * @returns {Fitted}
 */
function shaped(source, crop, { graph, layout, examples, notes }) {
  const [height, width] = graph.shape.slice(-2);
  const pixels = context(shrunk(source, crop, width, height)).getImageData(0, 0, width, height).data;
  const channels = graph.shape.length > 2 ? graph.shape[0] : 1;
  const shares = channels >= 3 ? planes(pixels) : greys(pixels);
  if (channels < 3 && isInverse(shares, examples, graph)) {
    shares.forEach((share, i) => (shares[i] = 1 - share));
    notes.push("turned to bright on dark, as its pictures are");
  }
  const raw = shares.map((share) => layout.low + share * (layout.high - layout.low));
  return { values: scaled(raw, graph), notes };
}

/**
 * Halve again and again before the last step: a large step at once would skip pixels.
 * @param {CanvasImageSource} source @param {Box} crop @param {number} width @param {number} height
 */
function shrunk(source, crop, width, height) {
  const first = Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, Math.min(crop.width / width, crop.height / height)))));
  let [w, h] = [width * Math.min(first, 16), height * Math.min(first, 16)];
  let canvas = blank(w, h, (on) => {
    on.imageSmoothingQuality = "high";
    on.drawImage(source, crop.x, crop.y, crop.width, crop.height, 0, 0, w, h);
  });
  while (w > width) {
    const [from, fw, fh] = [canvas, w, h];
    [w, h] = [w / 2, h / 2];
    canvas = blank(w, h, (on) => on.drawImage(from, 0, 0, fw, fh, 0, 0, w, h));
  }
  return canvas;
}

/** @param {Uint8ClampedArray} pixels */
const greys = (pixels) =>
  Float32Array.from({ length: pixels.length / 4 }, (_, i) => (0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2]) / 255);

/** @param {Uint8ClampedArray} pixels */
function planes(pixels) {
  const plane = pixels.length / 4;
  return Float32Array.from({ length: 3 * plane }, (_, i) => pixels[4 * (i % plane) + Math.floor(i / plane)] / 255);
}

/**
 * Whether a picture is bright where the data is dark: at its border.
 * @param {Float32Array} shares @param {Float32Array[]} examples @param {any} graph
 */
function isInverse(shares, examples, graph) {
  if (!examples.length) return false;
  const own = border(shares, graph.shape);
  const theirs = examples.reduce((sum, x) => sum + border(x.map((v) => share(v, graph)), graph.shape), 0) / examples.length;
  return Math.abs(own - theirs) > 0.5;
}

/** @param {number} value @param {{low: number, high: number}} bounds */
const share = (value, { low, high }) => (value - low) / (high - low);

/** Mean of the outermost pixels. @param {Float32Array} shares @param {number[]} shape */
function border(shares, shape) {
  const [height, width] = shape.slice(-2);
  let [sum, count] = [0, 0];
  for (let i = 0; i < width * height; i += 1) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x > 0 && y > 0 && x < width - 1 && y < height - 1) continue;
    [sum, count] = [sum + shares[i], count + 1];
  }
  return sum / count;
}

/**
 * The largest middle part of a picture with these proportions.
 * @param {number} width @param {number} height @param {number} ratio @returns {Box}
 */
function middle(width, height, ratio) {
  const [w, h] = width / height > ratio ? [height * ratio, height] : [width, width / ratio];
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** Where ink is. @param {(i: number) => number} shareAt @param {number} width @param {number} height @returns {Box | null} */
function boxOf(shareAt, width, height) {
  let [x0, y0, x1, y1] = [width, height, -1, -1];
  for (let i = 0; i < width * height; i += 1) {
    if (shareAt(i) < INK) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  return x1 < 0 ? null : { x: x0, y: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
}

/**
 * Where the data has its ink, on average, if its pictures are bright on dark.
 * @param {Float32Array[]} examples @param {any} graph @returns {Box | null}
 */
function averageBox(examples, graph) {
  const [height, width] = graph.shape.slice(-2);
  const boxes = examples.map((x) => boxOf((i) => share(x[i], graph), width, height)).filter((box) => box !== null);
  if (!boxes.length) return null;
  const mean = (name) => boxes.reduce((sum, box) => sum + box[name], 0) / boxes.length;
  return { x: mean("x"), y: mean("y"), width: mean("width"), height: mean("height") };
}

/**
 * The part of a drawing to take, so that its ink comes to lie in the box that the data's ink fills.
 * @param {Box} ink @param {Box} target In the model's pixels. @param {any} graph @returns {Box}
 */
function around(ink, target, graph) {
  const [height, width] = graph.shape.slice(-2);
  const scale = Math.max(ink.width / target.width, ink.height / target.height);
  const [cx, cy] = [ink.x + ink.width / 2, ink.y + ink.height / 2];
  const [tx, ty] = [target.x + target.width / 2, target.y + target.height / 2];
  return { x: cx - tx * scale, y: cy - ty * scale, width: width * scale, height: height * scale };
}
