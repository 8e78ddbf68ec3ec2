/**
 * The map of a run's objects: dots that glide as it learns, hover, drag to decode, lasso, pan and zoom.
 *
 * Used small beside the hourglass and large as a view of its own; several runs may be shown at once, each with its map.
 */

import { effect } from "@preact/signals-core";
import { html, useEffect, useLayoutEffect, useRef, useValue } from "narrows/page/html";
import { EVEN, UNEVEN } from "narrows/dots/camera";
import { kindsOf, styleOfNone, stylesOf } from "narrows/draw/classes";
import { listen } from "narrows/dots/gestures";
import { inside } from "narrows/dots/grid";
import { HoverCard } from "narrows/dots/hovercard";
import { handOf } from "narrows/dots/hand";
import { Lattice } from "narrows/dots/lattice";
import { Legend } from "narrows/dots/legend";
import { Lens } from "narrows/dots/lens";
import { over } from "narrows/dots/over";
import { Plot } from "narrows/draw/plot";
import { tellDrag, told } from "narrows/page/probe";
import { Thumbs } from "narrows/draw/thumbs";

const ZOOM = 1.4;
/** How far one press of an arrow key moves the held code, in pixels. */
const NUDGE = 8;
const GRAB = 9;

/**
 * @typedef {"decode" | "move" | "lasso"} Tool
 * @typedef {object} Extras What a large map shows besides.
 * @property {Tool} [tool]
 * @property {boolean} [names] Names of the classes on the map.
 * @property {boolean} [ground] The decoded background.
 * @property {boolean} [pictures] Dots become pictures as one zooms.
 * @property {Uint8Array | null} [marked] 1 for each object of the selection.
 * @property {number[]} [near] Objects that are ringed.
 * @property {{x: number, y: number}[]} [path] A line over the map.
 * @property {(ids: number[]) => void} [onSelect]
 * @property {(i: number) => boolean} [onPick] Told of a click on a dot; true if it was taken.
 * @property {boolean} [linked] A map among several: shares camera and hover, holds no code.
 * @property {(xy: Float32Array) => Float32Array} [turn] Where dots are drawn instead, for a map that is turned to match another.
 * @property {{kinds: Uint8Array, styles: import("./splat.js").Style[]} | null} [dress] Other colours than the classes'.
 */

/** @param {{studio: any, run: import("narrows/state/run").Run | null, small?: boolean} & Extras} given */
export function Scatter({ studio, run, small = false, ...extras }) {
  const points = useValue(() => Boolean(run?.points.value), [run]);
  if (!run || !points) return html`<div class="scatter ${small ? "small" : ""}"><div class="field card"><p class="empty">The codes are being worked out.</p></div></div>`;
  return html`<div class="scatter ${small ? "small" : ""}">
    <${Plane} key=${run.id} studio=${studio} run=${run} small=${small} ...${extras} />
    ${!extras.linked && html`<${Legend} studio=${studio} run=${run} tallies=${!small} />`}
  </div>`;
}

/** How many objects are on the map, and whether that is all. @param {{run: import("narrows/state/run").Run}} given */
export function Shown({ run }) {
  const count = useValue(() => run.points.value?.count ?? 0, [run]);
  const all = useValue(() => run.detail.value?.objects?.count ?? 0, [run]);
  if (!count) return null;
  const text = count < all ? `${count.toLocaleString("en")} of ${all.toLocaleString("en")}, by class` : `all ${count.toLocaleString("en")}`;
  return html`<span class="aside" title=${count < all ? "While it learns, a fair sample of each class is placed; at a pause, all of them." : ""}>${text}</span>`;
}

/** @param {{studio: any, run: import("narrows/state/run").Run, small: boolean} & Extras} given */
function Plane({ studio, run, small, ...extras }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const given = useRef(extras);
  given.current = extras;
  const view = useRef(/** @type {View | null} */ (null));
  useLayoutEffect(() => {
    const made = new View(/** @type {HTMLElement} */ (host.current), studio, run, small, given);
    view.current = made;
    return () => made.close();
  }, []);
  useEffect(() => view.current?.refresh());
  const label = "Map of the codes. Arrow keys move the held code, plus and minus zoom, 0 shows all, Enter takes the nearest dot.";
  return html`<div class="field card" data-tool=${extras.tool ?? "decode"} ref=${host} tabindex="0" role="application" aria-label=${label}>
    <canvas class="ground" aria-hidden="true"></canvas>
    <canvas class="dots" aria-hidden="true"></canvas>
    <canvas class="over" aria-hidden="true"></canvas>
    ${!extras.linked && html`<${Lens} studio=${studio} place=${() => view.current?.held() ?? null} />`}
    ${!extras.linked && html`<${HoverCard} studio=${studio} run=${run} place=${() => view.current?.pointed() ?? null} small=${small} />`}
  </div>`;
}

/** One map on the page: the plot, the hands on it, and the signals it follows. */
class View {
  /**
   * @param {HTMLElement} host @param {any} studio @param {import("narrows/state/run").Run} run @param {boolean} small
   * @param {{current: Extras}} given
   */
  constructor(host, studio, run, small, given) {
    this.host = host;
    this.studio = studio;
    this.run = run;
    this.small = small;
    this.given = given;
    this.hand = handOf(studio);
    /** The camera of a small or a scrubbed map is its own; a large one's is in the link. */
    this.camera = null;
    /** @type {number[]} The line of a lasso, in places of the plane. */
    this.lasso = [];
    this.here = false;
    this.projection = "";
    /** What the component was given last. @type {Uint8Array | null} */
    this.marked = null;
    /** @type {Extras["dress"]} */
    this.worn = undefined;
    const [ground, dots, above] = host.querySelectorAll("canvas");
    this.plot = new Plot(dots, above, { over: (pen, plot) => over(pen, plot, this), smallest: small ? 28 : 7 });
    this.lattice = new Lattice(ground, this.plot, this.hand);
    this.stops = [listen(host, this.hands()), ...this.follow()];
    const watcher = new ResizeObserver(() => this.resize());
    watcher.observe(host);
    this.stops.push(() => watcher.disconnect());
    this.resize();
  }

  get extras() {
    return this.given.current;
  }

  /** Whether it is one map among several. */
  get linked() {
    return this.extras.linked === true;
  }

  resize() {
    this.plot.resize(this.host.clientWidth, this.host.clientHeight);
    this.lattice.again();
  }

  /** What the map listens to. */
  follow() {
    const { studio, run, plot, hand } = this;
    return [
      effect(() => void [studio.dark.value, this.dress(run.labels.value, run.graph.value, run.points.value?.count ?? 0)]),
      effect(() => this.move(this.linked ? run.points.value : hand.points.value, run.info.value.state, run.scrubbed.value)),
      effect(() => this.filter(studio.hidden.value, run.graph.value)),
      effect(() => !this.small && this.look(studio.camera.value)),
      effect(() => this.illustrate(run.graph.value)),
      effect(() => (studio.hovered.value, studio.object.value, hand.at.value, plot.again())),
      effect(() => (run.weights.value, hand.own.value, this.lattice.stale())),
    ];
  }

  /** What the component was given anew. */
  refresh() {
    const { marked = null, pictures = true, ground = false, dress } = this.extras;
    if (this.plot.pictures !== pictures) (this.plot.pictures = pictures), this.plot.again();
    if (marked !== this.marked) this.plot.mark((this.marked = marked));
    if (dress !== this.worn) (this.worn = dress), this.dress(this.run.labels.value, this.run.graph.value, this.plot.count);
    this.plot.see(ground);
    this.lattice.show(ground);
    this.plot.again();
  }

  dress(labels, graph, count) {
    const worn = this.extras.dress;
    const names = graph?.classes ?? [];
    const { kinds, styles } = worn ?? { kinds: kindsOf(labels, names, Math.max(count, this.plot.count)), styles: stylesOf(names) };
    this.plot.dress(kinds, styles);
    this.lattice.stale();
  }

  move(points, state, scrubbed) {
    if (!points) return;
    const own = codeOfOne(this.run) ? spread(points.xy) : points.xy;
    const xy = this.extras.turn?.(own) ?? own;
    const other = points.projection !== this.projection;
    this.projection = points.projection;
    const give = points.projection === "code" || points.projection === "two" ? UNEVEN : EVEN;
    this.plot.move(xy, { give, settle: other || scrubbed !== null || !["running", "starting"].includes(state) });
    this.lattice.stale();
  }

  filter(hidden, graph) {
    const none = styleOfNone(graph?.classes ?? []);
    this.plot.show((kind) => !hidden.has(kind === none ? -1 : kind));
    this.lattice.stale();
  }

  look(camera) {
    this.plot.look(camera);
    this.lattice.again();
  }

  /** @param {import("narrows/dots/camera").Camera | null} camera */
  turn(camera) {
    if (this.small) this.look(camera);
    else this.studio.camera.value = camera;
  }

  illustrate(graph) {
    if (!graph) return;
    const tell = (thumbs) => this.plot.dots.change({ thumbs });
    this.plot.picture(new Thumbs((i) => this.run.object(i), graph, tell));
  }

  /** Where the card of the hovered object belongs, while the pointer is on this map. */
  pointed() {
    const i = this.studio.hovered.peek();
    const known = i !== null && i < this.plot.count;
    return this.here && known ? { ...this.plot.spotOf(i), ...this.plot.size } : null;
  }

  /** Where the held code is on the map, in pixels. */
  held() {
    const at = this.hand.at.peek();
    return at ? { ...this.plot.toSpot(at.x, at.y), ...this.plot.size } : null;
  }

  hover(spot) {
    this.here = true;
    const i = this.plot.nearest(spot);
    this.point(i < 0 ? null : i);
  }

  /** @param {number | null} i */
  point(i) {
    this.studio.hovered.value = i;
    told.hoveredId = i;
  }

  hands() {
    const tool = () => this.extras.tool ?? (this.linked ? "move" : "decode");
    /** @type {Record<Tool, Grip>} */
    const tools = { decode: this.decoding(), lasso: this.lassoing(), move: NOTHING };
    return {
      hover: (spot) => this.hover(spot),
      leave: () => ((this.here = false), this.point(null)),
      press: (spot) => tools[tool()].press(spot),
      drag: (spot) => tools[tool()].drag(spot),
      release: (spot, moved) => (moved ? tools[tool()].release(spot) : this.click(spot, tool())),
      cancel: () => tools[tool()].cancel(),
      pan: (across, down) => this.turn(this.plot.panned(across, down)),
      zoom: (factor, spot) => (this.turn(this.plot.nearer(factor, spot)), spot && this.hover(spot)),
      key: (event) => this.key(event),
      pans: () => tool() === "move",
    };
  }

  /** A press that went nowhere: it takes a dot, or with the decoder at hand the place itself. */
  click(spot, tool) {
    const i = this.plot.nearest(spot);
    if (i >= 0) this.take(i);
    else if (tool === "decode" && !this.linked) this.decodeAt(spot);
    else if (tool === "lasso") this.extras.onSelect?.([]);
  }

  take(i) {
    if (!this.extras.onPick?.(i)) this.hand.choose(i);
  }

  decoding() {
    return {
      press: (spot) => {
        const i = this.plot.nearest(spot, GRAB);
        const at = this.hand.at.peek();
        const grips = at && distance(this.plot.toSpot(at.x, at.y), spot) < GRAB + 4;
        if (i >= 0 && !grips) this.hand.choose(i);
        this.hand.grasp();
      },
      drag: (spot) => (this.point(null), this.decodeAt(spot)),
      release: () => {},
      cancel: () => {},
    };
  }

  /** The decoder answers a place within the event that named it. */
  decodeAt(spot) {
    const began = performance.now();
    const { x, y } = this.plot.toPlane(spot);
    if (!this.hand.held.length) this.hand.grasp();
    this.hand.drag({ x, y });
    told.decodedId = `${x.toPrecision(4)}, ${y.toPrecision(4)}`;
    tellDrag(performance.now() - began);
  }

  lassoing() {
    const add = (spot) => {
      const { x, y } = this.plot.toPlane(spot);
      this.lasso.push(x, y);
      this.plot.again();
    };
    const drop = () => ((this.lasso = []), this.plot.again());
    return {
      press: (spot) => ((this.lasso = []), add(spot)),
      drag: add,
      release: () => (this.select(this.lasso), drop()),
      cancel: drop,
    };
  }

  /** @param {number[]} line */
  select(line) {
    const ids = [];
    const { xy, count, taken } = this.plot;
    for (let i = 0; i < count; i += 1) if (taken(i) && inside(xy[2 * i], xy[2 * i + 1], line)) ids.push(i);
    this.extras.onSelect?.(ids);
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  key(event) {
    const act = this.keys()[event.key];
    if (!act || (event.shiftKey && event.key.startsWith("Arrow"))) return false;
    return act() !== false;
  }

  keys() {
    const nudge = (across, down) => () => {
      if (this.linked || this.extras.tool === "move") return false;
      const at = this.hand.at.peek();
      if (!at) return false;
      const spot = this.plot.toSpot(at.x, at.y);
      this.hand.grasp();
      return this.decodeAt({ x: spot.x + across * NUDGE, y: spot.y + down * NUDGE });
    };
    const zoom = (factor) => () => this.turn(this.plot.nearer(factor));
    return {
      ArrowLeft: nudge(-1, 0),
      ArrowRight: nudge(1, 0),
      ArrowUp: nudge(0, -1),
      ArrowDown: nudge(0, 1),
      "+": zoom(ZOOM),
      "=": zoom(ZOOM),
      "-": zoom(1 / ZOOM),
      0: () => (this.plot.settle(), this.turn(null)),
      Enter: () => this.takeNearest(),
      Escape: () => (this.extras.onSelect?.([]), (this.studio.override.value = {})),
    };
  }

  takeNearest() {
    const at = this.hand.at.peek();
    const i = at ? this.plot.nearest(this.plot.toSpot(at.x, at.y), Infinity) : -1;
    if (i >= 0) this.take(i);
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.lattice.close();
    this.plot.thumbs?.want(null, 0);
    this.plot.close();
  }
}

/** @typedef {{press: (at: any) => void, drag: (at: any) => void, release: (at: any) => void, cancel: () => void}} Grip What a tool does. */

/** @type {Grip} */
const NOTHING = { press: () => {}, drag: () => {}, release: () => {}, cancel: () => {} };

/** @param {import("narrows/dots/gestures").Spot} a @param {import("narrows/dots/gestures").Spot} b */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/** @param {import("narrows/state/run").Run} run */
const codeOfOne = (run) => run.graph.peek()?.code.size === 1 && !(run.graph.peek().code.grid?.length > 0);

/**
 * Codes of one number lie on a line; dots are strewn beside it so that all can be seen. The height means nothing.
 * @param {Float32Array} xy
 */
function spread(xy) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    if (xy[i] < low) low = xy[i];
    if (xy[i] > high) high = xy[i];
  }
  const height = 0.16 * (high - low || 1);
  // A low-discrepancy row: an object keeps its height however the codes move.
  return xy.map((value, at) => (at % 2 ? height * (((((at - 1) / 2) * 0.6180339887) % 1) - 0.5) : value));
}
