/** Objects as small square pictures, made a few at a time and kept. */

import { onFrame } from "narrows/page/beat";

const SLICE_MS = 3;
const TELL_MS = 90;
/** Bytes of pictures kept of one size. */
const MOST_BYTES = 24e6;

/** @typedef {import("narrows/draw/draw").Look} Look */

/** @param {Look} look */
export const channelsOf = ({ kind, shape }) => (kind === "image" && shape.length > 2 && shape[0] >= 3 ? 3 : 1);

/**
 * One object as a picture of `side` x `side`: how much ink covers each pixel, or its colour.
 * @param {Look} look
 * @param {ArrayLike<number>} values Scaled values, (D,).
 * @param {number} side
 * @returns {Uint8Array}
 */
export function thumbOf(look, values, side) {
  const out = new Uint8Array(side * side * channelsOf(look));
  if (look.kind === "image") shrink(out, look, values, side, false);
  else if (look.shape.length > 2) shrink(out, look, values, side, true);
  else (look.kind === "table" ? bars : line)(out, look, values, side);
  return out;
}

/** A raster shrunk or enlarged by the mean of what each pixel covers; of a spectrogram, low tones lie below. */
function shrink(out, look, values, side, upended) {
  const [height, width] = look.shape.slice(-2);
  const channels = channelsOf(look);
  const across = spans(width, side);
  const down = spans(height, side);
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < side; y += 1) {
      const [top, bottom] = down[upended ? side - 1 - y : y];
      for (let x = 0; x < side; x += 1) {
        const [left, right] = across[x];
        const mean = meanOf(values, c * width * height, width, left, right, top, bottom);
        out[(y * side + x) * channels + c] = level(mean, look);
      }
    }
  }
}

/** Which source columns each of `side` pixels covers. */
const spans = (length, side) =>
  Array.from({ length: side }, (_, i) => {
    const from = Math.floor((i * length) / side);
    return [from, Math.max(from + 1, Math.ceil(((i + 1) * length) / side))];
  });

function meanOf(values, start, width, left, right, top, bottom) {
  let sum = 0;
  for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) sum += values[start + y * width + x];
  return sum / ((right - left) * (bottom - top));
}

/** @param {number} value @param {Look} look */
const level = (value, { low, high }) => Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low || 1))));

/** A curve a channel: each column is inked from its least to its largest value. */
function line(out, look, values, side) {
  const channels = look.shape.length > 1 ? look.shape[0] : 1;
  const length = look.shape.at(-1) ?? 1;
  const inset = side < 14 ? 0 : Math.round(side * 0.12);
  const room = side - 1 - 2 * inset;
  const row = (value) => inset + room - (level(value, look) / 255) * room;
  for (let c = 0; c < channels; c += 1) {
    let last = null;
    for (let x = 0; x < side; x += 1) {
      const [from, to] = spans(length, side)[x];
      const rows = Array.from({ length: to - from }, (_, i) => row(values[c * length + from + i]));
      if (last !== null) rows.push((last + rows[0]) / 2);
      last = rows.at(length > side ? -1 : 0);
      ink(out, side, x, Math.min(...rows), Math.max(...rows));
    }
  }
}

/** Ink a column between two heights, its ends in part. */
function ink(out, side, x, top, bottom) {
  for (let y = Math.max(0, Math.floor(top - 0.5)); y <= Math.min(side - 1, Math.ceil(bottom + 0.5)); y += 1) {
    const cover = Math.min(y + 0.5, bottom + 0.6) - Math.max(y - 0.5, top - 0.6);
    out[y * side + x] = Math.max(out[y * side + x], Math.round(255 * Math.max(0, Math.min(1, cover))));
  }
}

/** A bar for each column of a table, from the middle of its range. */
function bars(out, { low, high }, values, side) {
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  spans(values.length, side).forEach(([from, to], x) => {
    let most = 0;
    for (let i = from; i < to; i += 1) if (Math.abs(values[i]) > Math.abs(most)) most = values[i];
    const middle = low >= 0 ? side - 1 : (side - 1) / 2;
    const end = middle - Math.max(-1, Math.min(1, most / reach)) * (low >= 0 ? side - 1 : (side - 1) / 2);
    ink(out, side, x, Math.min(middle, end), Math.max(middle, end));
  });
}

/** The pictures of a run's objects: asked for by id, told when some more are there. */
export class Thumbs {
  /**
   * @param {(i: number) => Promise<ArrayLike<number>>} read One object, by its id.
   * @param {Look} look
   * @param {(thumbs: import("narrows/dots/splat").Thumbs | null) => void} tell
   */
  constructor(read, look, tell) {
    this.read = read;
    this.look = look;
    this.tell = tell;
    /** Pictures of the present size, by id. @type {Map<number, Uint8Array>} */
    this.kept = new Map();
    this.side = 0;
    this.turn = 0;
  }

  /**
   * Show the objects `ids` at `side` pixels; null shows none.
   * @param {Int32Array | null} ids
   * @param {number} side
   */
  async want(ids, side) {
    const turn = (this.turn += 1);
    if (!ids?.length) return this.tell(null);
    if (side !== this.side || this.kept.size * side * side > MOST_BYTES) this.kept.clear();
    this.side = side;
    const missing = ids.filter((i) => !this.kept.has(i));
    this.say(ids);
    let told = performance.now();
    let began = told;
    for (const i of missing) {
      const values = await this.read(i).catch(() => null);
      if (turn !== this.turn) return;
      if (values) this.kept.set(i, thumbOf(this.look, values, side));
      const now = performance.now();
      if (now - told > TELL_MS) this.say(ids), (told = now);
      if (now - began > SLICE_MS) began = await nextFrame();
      if (turn !== this.turn) return;
    }
    if (missing.length) this.say(ids);
  }

  /** @param {Int32Array} wanted */
  say(wanted) {
    const ids = wanted.filter((i) => this.kept.has(i));
    const channels = channelsOf(this.look);
    const size = this.side * this.side * channels;
    const pixels = new Uint8Array(ids.length * size);
    ids.forEach((i, slot) => pixels.set(/** @type {Uint8Array} */ (this.kept.get(i)), slot * size));
    this.tell({ side: this.side, channels, ids, pixels });
  }
}

/** @returns {Promise<number>} */
const nextFrame = () => new Promise((go) => onFrame(() => setTimeout(() => go(performance.now()), 0)));

/**
 * Which objects have room for their picture: the first ones come first, and none covers another. Cells hang on the
 * plane, not on the screen, so that panning changes nothing.
 * @param {Float32Array} xy
 * @param {number} count
 * @param {import("narrows/dots/splat").Place} place
 * @param {{width: number, height: number}} size In the same pixels as `side`.
 * @param {number} side
 * @param {(i: number) => boolean} shown
 * @param {number} most
 */
export function withRoom(xy, count, { ax, bx, ay, by }, { width, height }, side, shown, most) {
  const taken = new Map();
  const ids = [];
  const free = (x, y) => {
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    for (let dy = -1; dy <= 1; dy += 1) {
      for (let dx = -1; dx <= 1; dx += 1) {
        const other = taken.get((row + dy) * 65536 + column + dx);
        if (other && Math.abs(other[0] - x) < side && Math.abs(other[1] - y) < side) return false;
      }
    }
    taken.set(row * 65536 + column, [x, y]);
    return true;
  };
  for (let i = 0; i < count && ids.length < most; i += 1) {
    const x = xy[2 * i] * ax;
    const y = xy[2 * i + 1] * ay;
    if (x + bx < -side || y + by < -side || x + bx > width + side || y + by > height + side || !shown(i)) continue;
    if (free(x, y)) ids.push(i);
  }
  return Int32Array.from(ids);
}
