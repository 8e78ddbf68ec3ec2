/**
 * Binary frames, little endian: a header of 16 bytes and its payload.
 *
 *     u8 'N' | u8 version | u8 kind | u8 slot | u32 step | u32 a | u32 b
 */

const MAGIC = 0x4e;
const VERSION = 1;
const HEADER = 16;
const KINDS = /** @type {const} */ ({ 1: "points", 2: "weights", 3: "tiles" });
const PROJECTIONS = /** @type {const} */ (["code", "pca", "tsne"]);

/**
 * @typedef {{kind: "points", slot: number, step: number, count: number, all: boolean,
 *   projection: "code"|"pca"|"tsne", bounds: Float32Array, xy: Uint16Array}} PointsFrame
 *   Where objects lie: `xy` are x0, y0, x1, y1 ... as 0..65535 of `bounds` x0, y0, x1, y1.
 * @typedef {{kind: "weights", slot: number, step: number, values: Uint16Array}} WeightsFrame
 *   Float16 numbers in the graph's order.
 * @typedef {{kind: "tiles", slot: number, step: number, count: number, values: number, bytes: Uint8Array}} TilesFrame
 *   Outputs of the fixed objects, 0..255 for the graph's low..high.
 * @typedef {PointsFrame | WeightsFrame | TilesFrame} Frame
 */

/**
 * @param {ArrayBuffer} buffer
 * @returns {Frame}
 */
export function unpack(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER || view.getUint8(0) !== MAGIC || view.getUint8(1) !== VERSION) {
    throw new RangeError("not a frame of version 1");
  }
  const kind = KINDS[/** @type {1|2|3} */ (view.getUint8(2))];
  if (!kind) throw new RangeError(`frame of unknown kind ${view.getUint8(2)}`);
  const head = { slot: view.getUint8(3), step: view.getUint32(4, true) };
  return READERS[kind](buffer, head, view.getUint32(8, true), view.getUint32(12, true));
}

/** @typedef {{slot: number, step: number}} Head */
const READERS = {
  /** @param {ArrayBuffer} buffer @param {Head} head @param {number} a @param {number} b @returns {PointsFrame} */
  points: (buffer, head, a, b) => ({
    kind: "points",
    ...head,
    count: a,
    all: (b & 1) === 1,
    projection: PROJECTIONS[(b >> 8) & 255],
    bounds: new Float32Array(buffer, HEADER, 4),
    xy: new Uint16Array(buffer, HEADER + 16, 2 * a),
  }),
  /** @param {ArrayBuffer} buffer @param {Head} head @param {number} a @returns {WeightsFrame} */
  weights: (buffer, head, a) => ({ kind: "weights", ...head, values: new Uint16Array(buffer, HEADER, a) }),
  /** @param {ArrayBuffer} buffer @param {Head} head @param {number} a @param {number} b @returns {TilesFrame} */
  tiles: (buffer, head, a, b) => ({
    kind: "tiles",
    ...head,
    count: a,
    values: b,
    bytes: new Uint8Array(buffer, HEADER, a * b),
  }),
};

/**
 * Frames one after the other, each preceded by its length as u32.
 * @param {ArrayBuffer} buffer
 * @returns {Frame[]}
 */
export function unpackAll(buffer) {
  const view = new DataView(buffer);
  const frames = [];
  for (let at = 0; at + 4 <= buffer.byteLength; ) {
    const length = view.getUint32(at, true);
    // Copied, so that numbers of two and four bytes begin where such numbers may.
    frames.push(unpack(buffer.slice(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return frames;
}

/**
 * The points as numbers of the projection itself.
 * @param {PointsFrame} frame
 * @param {Float32Array} [into]
 * @returns {Float32Array} x0, y0, x1, y1 ...
 */
export function placed(frame, into = new Float32Array(frame.xy.length)) {
  const [x0, y0, x1, y1] = frame.bounds;
  const across = (x1 - x0) / 65535;
  const up = (y1 - y0) / 65535;
  for (let i = 0; i < frame.xy.length; i += 2) {
    into[i] = x0 + frame.xy[i] * across;
    into[i + 1] = y0 + frame.xy[i + 1] * up;
  }
  return into;
}
