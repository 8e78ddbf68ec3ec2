/**
 * The ground of the map: what the decoder makes of the place under each tile, refined little by little, with a veil
 * where no data is. A crisp picture far from all data means little, and the veil says so.
 */

import { onFrame } from "narrows/page/beat";
import { imageOf, token } from "narrows/draw/draw";
import { thumbOf } from "narrows/draw/thumbs";

const SLICE_MS = 4;
/** Side of the tiles of each round, in CSS pixels: coarse first. */
const ROUNDS = [112, 56, 28];
const VEIL = { columns: 72, blur: 2, rounds: 3 };
/** Dots near a place, relative to what an even spread would give, from which there is no veil. */
const DENSE = 0.12;
const THINNEST = 0.08;
const QUIET_MS = 160;
const GAP = 1.5;
/** How strong the ground is under the dots. */
const STRENGTH = 0.5;

export class Lattice {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("narrows/draw/plot").Plot} plot
   * @param {import("narrows/dots/hand").Hand} hand
   */
  constructor(canvas, plot, hand) {
    this.canvas = canvas;
    this.plot = plot;
    this.hand = hand;
    /** Where the ground is put together, and one tile of it. @type {HTMLCanvasElement | null} */
    this.sheet = null;
    /** @type {HTMLCanvasElement | null} */
    this.one = null;
    this.shown = false;
    this.turn = 0;
    this.timer = 0;
  }

  /** @param {boolean} shown */
  show(shown) {
    if (shown === this.shown) return;
    this.shown = shown;
    this.canvas.hidden = !shown;
    this.again();
  }

  /** The model or the dots are others: the ground is decoded anew once they are quiet for a moment. */
  stale() {
    if (this.shown && !this.timer) this.timer = window.setTimeout(() => this.again(), QUIET_MS);
  }

  /** Begin anew for what is in sight. */
  again() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.turn += 1;
    if (this.shown && this.plot.size.width) void this.refine(this.turn);
  }

  async refine(turn) {
    const { plot } = this;
    const { width, height } = plot.size;
    const model = this.hand.twin.peek();
    const plane = this.hand.plane.peek();
    if (!model || !plane?.exact) return this.clear();
    const pen = this.prepared(width, height);
    const veil = veilOf(plot);
    let began = performance.now();
    for (const side of ROUNDS) {
      for (const { x, y } of tiles(plot, side)) {
        const at = plot.toPlane({ x: x + side / 2, y: y + side / 2 });
        this.tile(pen, model.decode(plane.codeAt(at)).y, x, y, side);
        if (performance.now() - began > SLICE_MS) {
          this.finish(pen, veil, width, height);
          began = await rested();
          if (turn !== this.turn) return;
        }
      }
      this.finish(pen, veil, width, height);
    }
  }

  prepared(width, height) {
    this.sheet ??= document.createElement("canvas");
    Object.assign(this.sheet, { width, height });
    return /** @type {CanvasRenderingContext2D} */ (this.sheet.getContext("2d"));
  }

  clear() {
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** One decoded object. */
  tile(pen, values, x, y, side) {
    const graph = this.hand.studio.run.peek().graph.peek();
    this.one ??= document.createElement("canvas");
    const image = graph.kind === "image" ? imageOf(graph, values) : inked(graph, values, side);
    if (this.one.width !== image.width || this.one.height !== image.height) Object.assign(this.one, { width: image.width, height: image.height });
    this.one.getContext("2d").putImageData(image, 0, 0);
    pen.clearRect(x, y, side, side);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this.one, x + GAP, y + GAP, side - 2 * GAP, side - 2 * GAP);
  }

  /** The ground with its veil on the page. */
  finish(pen, veil, width, height) {
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const page = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    page.clearRect(0, 0, width, height);
    page.globalAlpha = STRENGTH;
    page.drawImage(pen.canvas, 0, 0);
    page.globalAlpha = 1;
    page.imageSmoothingEnabled = true;
    page.drawImage(veil, 0, 0, width, height);
  }

  close() {
    this.turn += 1;
    clearTimeout(this.timer);
  }
}

/** Corners of the tiles in sight, from the middle outwards; they hang on the plane, so that panning keeps them. */
function tiles(plot, side) {
  const { size } = plot;
  const { bx, by } = plot.place();
  const found = [];
  const first = (b) => (((b % side) + side) % side) - side;
  for (let y = first(by); y < size.height; y += side) for (let x = first(bx); x < size.width; x += side) found.push({ x, y });
  const far = ({ x, y }) => (x + side / 2 - size.width / 2) ** 2 + (y + side / 2 - size.height / 2) ** 2;
  return found.sort((a, b) => far(a) - far(b));
}

/** An object that is no picture, as ink on card. */
function inked(graph, values, side) {
  const image = new ImageData(side, side);
  const thumb = thumbOf(graph, values, side);
  const [card, ink] = [token("card"), token("ink")];
  for (let i = 0; i < thumb.length; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = card[c] + ((ink[c] - card[c]) * thumb[i]) / 255;
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Paper over the ground, thick where no dot is near. */
function veilOf(plot) {
  const { width, height } = plot.size;
  const columns = VEIL.columns;
  const rows = Math.max(8, Math.round((columns * height) / width));
  let density = new Float32Array(columns * rows);
  const { ax, bx, ay, by } = plot.place();
  for (let i = 0; i < plot.count; i += 1) {
    if (!plot.taken(i)) continue;
    const column = Math.floor(((plot.xy[2 * i] * ax + bx) / width) * columns);
    const row = Math.floor(((plot.xy[2 * i + 1] * ay + by) / height) * rows);
    if (column >= 0 && row >= 0 && column < columns && row < rows) density[row * columns + column] += 1;
  }
  for (let round = 0; round < VEIL.rounds; round += 1) density = blurred(blurred(density, columns, rows, 1), rows, columns, columns);
  return painted(density, columns, rows, Math.min(1, (DENSE * plot.count) / (columns * rows)));
}

/** A running mean along rows (`step` 1) or columns (`step` the width). */
function blurred(values, length, lines, step) {
  const out = new Float32Array(values.length);
  const across = step === 1 ? length : 1;
  const reach = VEIL.blur;
  for (let line = 0; line < lines; line += 1) {
    for (let i = 0; i < length; i += 1) {
      let sum = 0;
      for (let k = Math.max(0, i - reach); k <= Math.min(length - 1, i + reach); k += 1) sum += values[line * across + k * step];
      out[line * across + i * step] = sum / (2 * reach + 1);
    }
  }
  return out;
}

function painted(density, columns, rows, dense) {
  const image = new ImageData(columns, rows);
  const card = token("card");
  density.forEach((value, i) => {
    image.data.set(card, 4 * i);
    image.data[4 * i + 3] = 255 * (1 - THINNEST) * (1 - Math.min(1, value / dense)) ** 0.8;
  });
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns, height: rows });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** @returns {Promise<number>} */
const rested = () => new Promise((go) => onFrame(() => setTimeout(() => go(performance.now()), 0)));
