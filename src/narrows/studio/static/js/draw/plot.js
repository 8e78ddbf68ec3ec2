/**
 * Dots on a plane one can move over: places, colours and pictures of the dots, a camera, and what is under a spot.
 *
 * It knows pixels and places, nothing of runs or models; what lies over the dots is drawn by `over`.
 */

import { onFrame } from "narrows/page/beat";
import { EVEN, frameOf, moved, placing, scales, towards, zoomed } from "narrows/dots/camera";
import { Dots } from "narrows/dots/dots";
import { css, fitted, token } from "narrows/draw/draw";
import { Grid } from "narrows/dots/grid";
import { withRoom } from "narrows/draw/thumbs";

const GLIDE_MS = 140;
const REACH = 12;
/** Words stay so far from the edge of the map, in pixels. */
const EDGE = 5;
const MOST_PICTURES = 6000;
const PLAN_MS = 110;
/** How fast the frame goes towards the points' new bounds: it must not jump, nor fall behind where points come seldom. */
const FOLLOW_MS = 230;
/** Pixels drawn at most: a sharper screen gets fewer for each of its points. */
const MOST_PIXELS = { worker: 4e6, page: 1.5e6 };

/** Pictures by how far apart dots are, in CSS pixels: side of the picture, and from which distance on. */
export const TIERS = [
  { side: 64, from: 96, words: true },
  { side: 28, from: 27, words: false },
  { side: 14, from: 15, words: false },
  { side: 7, from: 10, words: false },
];

/** @typedef {import("narrows/dots/gestures").Spot} Spot */

export class Plot {
  /**
   * @param {HTMLCanvasElement} canvas For the dots.
   * @param {HTMLCanvasElement} above For what lies over them.
   * @param {{over?: (pen: CanvasRenderingContext2D, plot: Plot) => void, smallest?: number}} [how] `smallest` is the
   *   least side of a picture that is shown.
   */
  constructor(canvas, above, { over = () => {}, smallest = 7 } = {}) {
    this.dots = new Dots(canvas);
    this.above = above;
    this.over = over;
    this.smallest = smallest;
    this.size = { width: 0, height: 0 };
    this.ratio = 1;
    /** @type {import("narrows/dots/camera").Camera | null} */
    this.camera = null;
    /** @type {import("narrows/dots/camera").Frame} */
    this.frame = { x: 0, y: 0, width: 1, height: 1, give: EVEN };
    this.movedAt = 0;
    this.give = EVEN;
    /** @type {Float32Array} */
    this.xy = new Float32Array(0);
    this.count = 0;
    /** @type {Grid | null} */
    this.grid = null;
    /** @type {Uint8Array} */
    this.kinds = new Uint8Array(0);
    this.shown = new Uint8Array(256).fill(1);
    /** @type {import("narrows/draw/thumbs").Thumbs | null} */
    this.thumbs = null;
    this.pictures = true;
    /** @type {typeof TIERS[number] | null} */
    this.tier = null;
    this.pictured = new Set();
    this.planned = 0;
    this.paintOver = this.paintOver.bind(this);
    this.plan = this.plan.bind(this);
    this.taken = (i) => this.shown[this.kinds[i]] === 1;
  }

  /** @param {number} width @param {number} height In CSS pixels. */
  resize(width, height) {
    const most = MOST_PIXELS[this.dots.place];
    this.size = { width, height };
    this.ratio = Math.min(3, window.devicePixelRatio || 1, Math.sqrt(most / Math.max(1, width * height)));
    this.dots.change({ size: [Math.round(width * this.ratio), Math.round(height * this.ratio)] });
    this.look(this.camera);
  }

  /**
   * New places of the dots; they glide there.
   * @param {Float32Array} xy
   * @param {{still?: boolean, settle?: boolean, give?: number}} [how] `still`: at once; `settle`: the frame takes their
   *   bounds whole; `give`: how unequal the axes may be.
   */
  move(xy, { still = false, settle = false, give = EVEN } = {}) {
    const fresh = !this.count;
    this.xy = xy;
    this.count = xy.length / 2;
    this.grid = null;
    this.give = give;
    const wished = this.framed();
    const now = performance.now();
    this.frame = fresh || settle ? wished : towards(this.frame, wished, followed(now - this.movedAt));
    this.movedAt = now;
    this.dots.change({ xy, place: this.devicePlace(), glide: still || fresh || reduced() ? 0 : GLIDE_MS, ...this.dotLook() });
    this.again();
  }

  /** @param {Uint8Array} kinds @param {import("narrows/dots/splat").Style[]} styles */
  dress(kinds, styles) {
    this.kinds = kinds;
    this.dots.change({ kinds, styles, paper: token("card") });
    this.again();
  }

  /** Whether each style is shown. @param {(kind: number) => boolean} is */
  show(is) {
    this.shown = Uint8Array.from({ length: 256 }, (_, kind) => Number(is(kind)));
    this.dots.change({ shown: this.shown });
    this.again();
  }

  /** Fade what is not marked; null fades nothing. @param {Uint8Array | null} marked */
  mark(marked) {
    this.dots.change({ marked });
  }

  /** Whether what lies behind the dots shows through. @param {boolean} clear */
  see(clear) {
    this.dots.change({ clear });
  }

  /** @param {import("narrows/dots/camera").Camera | null} camera */
  look(camera) {
    this.camera = camera;
    this.dots.change({ place: this.devicePlace(), ...this.dotLook() });
    this.again();
  }

  /** The frame takes the bounds of what is shown now. */
  settle() {
    this.frame = this.framed();
    this.look(this.camera);
  }

  /** The frame of what is shown. */
  framed() {
    return { ...frameOf(this.xy, this.count, this.taken), give: this.give };
  }

  /** The pictures of the dots come from here. @param {import("narrows/draw/thumbs").Thumbs | null} thumbs */
  picture(thumbs) {
    this.thumbs = thumbs;
    if (!thumbs) this.dots.change({ thumbs: null });
    this.again();
  }

  again() {
    onFrame(this.paintOver);
    if (!this.planned) this.planned = window.setTimeout(this.plan, PLAN_MS);
  }

  /** Which dots are shown as pictures, and how large. */
  plan() {
    this.planned = 0;
    if (!this.thumbs || !this.size.width) return;
    this.tier = this.pictures ? this.tierOf(this.spacing()) : null;
    const side = Math.round((this.tier?.side ?? 0) * this.ratio);
    const device = { width: this.size.width * this.ratio, height: this.size.height * this.ratio };
    const ids = this.tier && withRoom(this.xy, this.count, this.devicePlace(), device, side * 1.06, this.taken, MOST_PICTURES);
    this.pictured = new Set(ids ?? []);
    this.thumbs.want(ids, side);
    onFrame(this.paintOver);
  }

  /** @param {number} spacing */
  tierOf(spacing) {
    return TIERS.find(({ side, from }) => side >= this.smallest && spacing >= from) ?? null;
  }

  /** How far apart the dots in sight are, roughly, in CSS pixels. */
  spacing() {
    const { width, height } = this.size;
    let seen = 0;
    const [a, b] = [this.toPlane({ x: 0, y: height }), this.toPlane({ x: width, y: 0 })];
    this.gridNow().within(a.x, a.y, b.x, b.y, (i) => (seen += Number(this.taken(i))));
    return Math.sqrt((0.5 * width * height) / Math.max(1, seen));
  }

  gridNow() {
    return (this.grid ??= new Grid(this.xy, this.count));
  }

  place() {
    return placing(this.frame, this.size, this.camera);
  }

  devicePlace() {
    const { ax, bx, ay, by } = this.place();
    const r = this.ratio;
    return { ax: ax * r, bx: bx * r, ay: ay * r, by: by * r };
  }

  /** Size and strength of a dot: many dots are small and let others shine through. */
  dotLook() {
    const n = this.count;
    const base = n < 300 ? 5 : n < 3000 ? 3.2 : n < 20000 ? 2.2 : n < 60000 ? 1.7 : 1.35;
    const room = Math.max(0.65, Math.min(1.3, Math.min(this.size.width, this.size.height) / 640));
    const radius = Math.min(9, base * room * (this.camera?.k ?? 1) ** 0.28) * this.ratio;
    return { radius: Math.round(radius * 4) / 4, opacity: n < 3000 ? 256 : n < 30000 ? 220 : 190 };
  }

  /** Radius of a dot in CSS pixels. */
  get radius() {
    return this.dotLook().radius / this.ratio;
  }

  /** @param {number} x @param {number} y @returns {Spot} */
  toSpot(x, y) {
    const { ax, bx, ay, by } = this.place();
    return { x: x * ax + bx, y: y * ay + by };
  }

  /** @param {number} i */
  spotOf(i) {
    return this.toSpot(this.xy[2 * i], this.xy[2 * i + 1]);
  }

  /** @param {Spot} spot */
  toPlane({ x, y }) {
    const { ax, bx, ay, by } = this.place();
    return { x: (x - bx) / ax, y: (y - by) / ay };
  }

  /** The shown dot nearest to a spot, or -1. @param {Spot} spot @param {number} [reach] */
  nearest(spot, reach = Math.max(REACH, (this.tier?.side ?? 0) / 2)) {
    if (!this.count) return -1;
    const { x, y } = this.toPlane(spot);
    const { sx, sy } = scales(this.frame, this.size, this.camera);
    return this.gridNow().nearest(x, y, reach, sx, sy, this.taken);
  }

  panned(across, down) {
    return moved(this.frame, this.size, this.camera, across, down);
  }

  nearer(factor, spot) {
    return zoomed(this.frame, this.size, this.camera, factor, spot?.x, spot?.y);
  }

  get stretched() {
    return scales(this.frame, this.size, this.camera).stretched;
  }

  paintOver() {
    const { width, height } = this.size;
    if (!width) return;
    this.over(fitted(this.above, width, height), this);
  }

  close() {
    clearTimeout(this.planned);
    this.dots.close();
  }
}

/** The share of the way that a frame goes in so many milliseconds. @param {number} passed */
export const followed = (passed) => 1 - Math.exp(-passed / FOLLOW_MS);

const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * A ring around a spot, with paper on either side so that it shows on any ground.
 * @param {CanvasRenderingContext2D} pen @param {Spot} spot @param {number} radius @param {string} colour
 */
export function ring(pen, { x, y }, radius, colour, width = 2) {
  for (const [line, style] of [[width + 2.5, css(token("card"), 0.85)], [width, colour]]) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(pen, { lineWidth: line, strokeStyle: style });
    pen.stroke();
  }
}

/** A frame around a picture. @param {CanvasRenderingContext2D} pen @param {Spot} spot @param {number} side @param {string} colour */
export function frame(pen, { x, y }, side, colour, width = 2) {
  for (const [line, style] of [[width + 2.5, css(token("card"), 0.85)], [width, colour]]) {
    pen.beginPath();
    pen.roundRect(x - side / 2, y - side / 2, side, side, 4);
    Object.assign(pen, { lineWidth: line, strokeStyle: style });
    pen.stroke();
  }
}

/**
 * Words with a halo of paper, kept inside the picture.
 * @param {CanvasRenderingContext2D} pen @param {string} text @param {Spot} spot @param {string} colour
 */
export function words(pen, text, { x, y }, colour, font) {
  Object.assign(pen, { font, textAlign: "center", textBaseline: "middle", lineJoin: "round" });
  Object.assign(pen, { lineWidth: 5, strokeStyle: css(token("card"), 0.9), fillStyle: colour });
  const half = pen.measureText(text).width / 2 + EDGE;
  const inside = Math.max(half, Math.min(pen.canvas.clientWidth - half, x));
  pen.strokeText(text, inside, y);
  pen.fillText(text, inside, y);
}
