/**
 * Where one looks from: the frame that holds the points, and a camera {x, y, k} in it.
 *
 * A camera is relative to the frame (x and y in widths of it, k the magnification), so that it stays where it is
 * while the points move and their bounds with them. Null is the whole.
 */

/**
 * @typedef {{x: number, y: number, width: number, height: number, give?: number}} Frame Middle and extent, in units of
 *   the plane; `give` is how unequal the scales of the two axes may be.
 */
/** @typedef {{x: number, y: number, k: number}} Camera */
/** @typedef {{width: number, height: number}} Size In CSS pixels. */

const WHOLE = { x: 0, y: 0, k: 1 };
const NEAREST = 400;
const FARTHEST = 0.4;
/** Share of the points at either end of an axis that may lie outside the frame. */
const OUTSIDE = 0.002;
/** The first objects are a fair sample of all. */
const LOOKED_AT = 6000;
/** How much longer a unit of one axis may be than one of the other, to fill the map: it is said on the map. */
export const EVEN = 1;
export const UNEVEN = 2;
/** Above this, even scales would leave a thread: they are stretched apart all the same. */
const THREAD = 5;

/**
 * The frame of the points that are shown.
 * @param {Float32Array} xy
 * @param {number} count
 * @param {(i: number) => boolean} [taken]
 * @returns {Frame}
 */
export function frameOf(xy, count, taken = () => true) {
  const [xs, ys] = [[], []];
  for (let i = 0; i < count && xs.length < LOOKED_AT; i += 1) {
    if (!taken(i)) continue;
    xs.push(xy[2 * i]);
    ys.push(xy[2 * i + 1]);
  }
  if (!xs.length) return { x: 0, y: 0, width: 1, height: 1 };
  const [x, width] = extent(Float32Array.from(xs));
  const [y, height] = extent(Float32Array.from(ys));
  return { x, y, width, height };
}

/** @param {Float32Array} values @returns {[number, number]} Middle and extent. */
function extent(values) {
  values.sort();
  const skipped = Math.floor(values.length * OUTSIDE);
  const low = values[skipped];
  const high = values[values.length - 1 - skipped];
  const tiny = Math.max(Math.abs(low), Math.abs(high), 1) * 1e-6;
  return [(low + high) / 2, high - low > tiny ? high - low : 1];
}

/** A frame a share of the way to another. @param {Frame} a @param {Frame} b @param {number} share */
export function towards(a, b, share) {
  const between = (name) => a[name] + (b[name] - a[name]) * share;
  return { ...b, x: between("x"), y: between("y"), width: between("width"), height: between("height") };
}

/**
 * How many pixels a unit of each axis takes.
 * @param {Frame} frame @param {Size} size @param {Camera | null} camera
 */
export function scales(frame, size, camera) {
  const k = camera?.k ?? 1;
  const margin = Math.min(28, size.width * 0.06);
  let sx = Math.max(1, size.width - 2 * margin) / frame.width;
  let sy = Math.max(1, size.height - 2 * margin) / frame.height;
  const least = Math.min(sx, sy);
  const most = Math.max(sx, sy) > THREAD * least ? Infinity : (frame.give ?? EVEN) * least;
  [sx, sy] = [Math.min(sx, most), Math.min(sy, most)];
  return { sx: sx * k, sy: sy * k, stretched: Math.max(sx, sy) / least };
}

/**
 * How the plane becomes pixels: x * ax + bx, y * ay + by.
 * @param {Frame} frame @param {Size} size @param {Camera | null} camera
 */
export function placing(frame, size, camera) {
  const { x, y } = camera ?? WHOLE;
  const { sx, sy } = scales(frame, size, camera);
  const middleX = frame.x + x * frame.width;
  const middleY = frame.y + y * frame.height;
  return { ax: sx, bx: size.width / 2 - middleX * sx, ay: -sy, by: size.height / 2 + middleY * sy };
}

/** The camera moved by pixels. @param {Frame} frame @param {Size} size @param {Camera | null} camera */
export function moved(frame, size, camera, across, down) {
  const { x, y, k } = camera ?? WHOLE;
  const { sx, sy } = scales(frame, size, camera);
  return { x: x - across / sx / frame.width, y: y + down / sy / frame.height, k };
}

/** The camera nearer by a factor, the place under a pixel held still. */
export function zoomed(frame, size, camera, factor, px = size.width / 2, py = size.height / 2) {
  const { x, y, k } = camera ?? WHOLE;
  const nearer = Math.max(FARTHEST, Math.min(NEAREST, k * factor));
  const { sx, sy } = scales(frame, size, camera);
  const held = 1 - k / nearer;
  const across = ((px - size.width / 2) / sx / frame.width) * held;
  const down = ((py - size.height / 2) / sy / frame.height) * held;
  return { x: x + across, y: y - down, k: nearer };
}
