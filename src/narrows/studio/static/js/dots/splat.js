/**
 * Dots and thumbnails written straight into the pixels of a picture: 100,000 a frame without a graphics card.
 *
 * The file imports nothing, so that the page and a worker (where import maps do not reach) read the same one.
 * Points are numbers of the map's plane; a `Place` {ax, bx, ay, by} brings them to pixels: x * ax + bx, y * ay + by.
 */

/** @typedef {{ax: number, bx: number, ay: number, by: number}} Place */
/** @typedef {{colour: number[], shape: string}} Style Colour as red, green, blue of 0..255. */
/**
 * @typedef {{side: number, channels: number, ids: Int32Array, pixels: Uint8Array}} Thumbs
 *   Pictures of `side` x `side` pixels: with one channel how much ink covers a pixel, with three its colour.
 */

/** How far inside a shape a place is, in pixels; negative outside. */
const SHAPES = {
  circle: (x, y, r) => r - Math.hypot(x, y),
  square: (x, y, r) => r * 0.88 - Math.max(Math.abs(x), Math.abs(y)),
  triangle: (x, y, r) => Math.min(r * 0.75 - y, (r * 1.25 + y) * 0.5 - Math.abs(x) * 0.87),
  diamond: (x, y, r) => (r * 1.25 - Math.abs(x) - Math.abs(y)) * 0.707,
  cross: (x, y, r) => SHAPES.plus((x + y) * 0.707, (x - y) * 0.707, r),
  plus: (x, y, r) => Math.max(bar(x, y, r), bar(y, x, r)),
  down: (x, y, r) => SHAPES.triangle(x, -y, r),
};

const bar = (x, y, r) => Math.min(r * 0.42 - Math.abs(x), r * 1.15 - Math.abs(y));

const PHASES = 4;
/** Coverage from which a pixel is written without looking at what lies there. */
const SOLID = 250;
/** Coverage below which a pixel is not worth its time. */
const FAINT = 14;
/** A dot smaller than this, in pixels, is a disc whatever its class: a shape could not be told. */
const SHAPED_FROM = 2.4;

/**
 * The pixels that a shape covers around its centre, for each quarter-pixel place of it.
 * @param {string} shape
 * @param {number} radius In pixels.
 * @param {number} opacity 0..256.
 * @param {number} width Of the picture.
 */
function stamp(shape, radius, opacity, width) {
  const reach = Math.ceil(radius * 1.3 + 1);
  const inside = SHAPES[radius < SHAPED_FROM ? "circle" : shape];
  const phases = [];
  for (let py = 0; py < PHASES; py += 1) {
    for (let px = 0; px < PHASES; px += 1) phases.push(covered(inside, radius, reach, px, py, opacity, width));
  }
  return { reach, phases };
}

/** One phase of a stamp: first the pixels that are covered whole, then those in part. */
function covered(inside, radius, reach, px, py, opacity, width) {
  const found = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const depth = inside(x + 0.5 - (px + 0.5) / PHASES, y + 0.5 - (py + 0.5) / PHASES, radius) + 0.5;
      const cover = Math.round(Math.max(0, Math.min(1, depth)) * opacity);
      if (cover > FAINT) found.push({ x, y, cover });
    }
  }
  found.sort((a, b) => b.cover - a.cover);
  return {
    solid: found.filter(({ cover }) => cover >= SOLID).length,
    step: Int32Array.from(found, ({ x, y }) => y * width + x),
    right: Int32Array.from(found, ({ x }) => x),
    down: Int32Array.from(found, ({ y }) => y),
    cover: Int32Array.from(found, ({ cover }) => cover),
  };
}

/** A colour as one word of a picture, opaque. @param {number[]} colour */
const word = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;

/** `share` of one colour over another. */
const mixed = (over, under, share) => under.map((value, i) => Math.round(value + (over[i] - value) * share));

/** The words from paper to a colour, by how much ink covers a pixel: 0..255. */
const ramp = (paper, colour) => Int32Array.from({ length: 256 }, (_, ink) => word(mixed(colour, paper, ink / 255)));

/** How much of its colour a dot outside the selection keeps. */
const FADED = 0.16;

/** What is drawn and how; `paint` writes it into a picture. */
export class Splat {
  constructor() {
    this.count = 0;
    /** Where the dots come from, where they go, and how far they are: 0..1. */
    this.from = new Float32Array(0);
    this.to = new Float32Array(0);
    /** @type {Place} */
    this.fromPlace = { ax: 1, bx: 0, ay: 1, by: 0 };
    this.place = this.fromPlace;
    this.share = 1;
    /** Number of the style of each object. @type {Uint8Array} */
    this.kinds = new Uint8Array(0);
    /** @type {Style[]} */
    this.styles = [];
    this.shown = new Uint8Array(256).fill(1);
    this.paper = [255, 255, 255];
    this.clear = false;
    this.radius = 2;
    this.opacity = 256;
    /** 1 for each selected object; null where nothing is. @type {Uint8Array | null} */
    this.marked = null;
    /** @type {Thumbs | null} */
    this.thumbs = null;
    /** @type {{thumbs: Thumbs, ids: Uint8Array} | null} */
    this.covered = null;
    this.order = new Uint32Array(0);
    /** @type {Map<string, ReturnType<typeof stamp>>} */
    this.stamps = new Map();
  }

  /**
   * New places; the dots begin to move there from where they are.
   * @param {Float32Array} xy x0, y0, x1, y1 ...
   * @param {Place} place
   */
  move(xy, place) {
    const here = this.here();
    const from = new Float32Array(xy);
    from.set(here.subarray(0, Math.min(here.length, xy.length)));
    this.fromPlace = this.count ? this.placeNow() : place;
    Object.assign(this, { from, to: xy, place, count: xy.length / 2, share: 0 });
    if (this.order.length !== this.count) this.order = this.arrange();
  }

  /** Where the dots are at this moment. */
  here() {
    if (this.share >= 1) return this.to;
    const { from, to, share } = this;
    return to.map((value, i) => from[i] + (value - from[i]) * share);
  }

  /** @returns {Place} */
  placeNow() {
    const { fromPlace: from, place: to, share } = this;
    if (share >= 1) return to;
    const between = (a, b) => a + (b - a) * share;
    const [ax, bx] = [between(from.ax, to.ax), between(from.bx, to.bx)];
    return { ax, bx, ay: between(from.ay, to.ay), by: between(from.by, to.by) };
  }

  /** Look from elsewhere, at once. @param {Place} place */
  look(place) {
    this.fromPlace = this.place = place;
  }

  /**
   * @param {Uint8Array} kinds
   * @param {Style[]} styles
   */
  dress(kinds, styles) {
    this.kinds = kinds;
    this.styles = styles;
    this.order = this.arrange();
  }

  /** Common styles below, rare ones on top; styles about as common mix as they came, so that none covers another. */
  arrange() {
    const { kinds, count } = this;
    const counts = new Uint32Array(256);
    for (let i = 0; i < count; i += 1) counts[kinds[i]] += 1;
    const most = Math.max(1, ...counts);
    const layers = Array.from(counts, (n) => Math.min(9, Math.floor(Math.log2(most / Math.max(1, n)))));
    const starts = new Uint32Array(11);
    counts.forEach((n, kind) => (starts[layers[kind] + 1] += n));
    for (let layer = 1; layer < 11; layer += 1) starts[layer] += starts[layer - 1];
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i += 1) order[starts[layers[kinds[i]]]++] = i;
    return order;
  }

  /**
   * Draw everything.
   * @param {Int32Array} out The picture, width x height words; signed, for such are the quicker ones.
   * @param {number} width
   * @param {number} height
   */
  paint(out, width, height) {
    out.fill(this.clear ? word(this.paper) & 0xffffff : word(this.paper));
    if (!this.count) return;
    const place = this.placeNow();
    const { marked } = this;
    const bare = this.bare();
    if (marked) this.dots(out, width, height, place, (i) => !marked[i] && !bare?.[i], FADED);
    this.dots(out, width, height, place, marked || bare ? (i) => (!marked || marked[i] === 1) && !bare?.[i] : null, 1);
    if (this.thumbs) this.pictures(out, width, height, place, this.thumbs);
  }

  /** 1 for each dot whose picture is there to be seen instead; null where no dot has one. */
  bare() {
    if (!this.thumbs) return null;
    if (this.covered?.thumbs !== this.thumbs || this.covered.ids.length !== this.count) {
      const ids = new Uint8Array(this.count);
      this.thumbs.ids.forEach((i) => (ids[i] = 1));
      this.covered = { thumbs: this.thumbs, ids };
    }
    return this.covered.ids;
  }

  /** @param {string} shape @param {number} width */
  stampOf(shape, width) {
    const key = [shape, this.radius, this.opacity, width].join();
    let found = this.stamps.get(key);
    if (!found) {
      // Zooming makes a set of stamps a step; only the last few are worth keeping.
      if (this.stamps.size > 64) this.stamps.clear();
      this.stamps.set(key, (found = stamp(shape, this.radius, this.opacity, width)));
    }
    return found;
  }

  /**
   * @param {Int32Array} out
   * @param {((i: number) => boolean) | null} chosen Which dots to draw; null draws all.
   * @param {number} strength Share of the colour that is kept.
   */
  dots(out, width, height, { ax, bx, ay, by }, chosen, strength) {
    const { from, to, share, kinds, shown, order, count } = this;
    const stamps = this.styles.map(({ shape }) => this.stampOf(shape, width));
    const colours = this.styles.map(({ colour }) => word(mixed(colour, this.paper, strength)));
    const still = share >= 1;
    const put = this.clear ? pressClear : press;
    for (let n = 0; n < count; n += 1) {
      const i = order[n];
      const kind = kinds[i];
      if (!shown[kind] || (chosen && !chosen(i))) continue;
      const at = 2 * i;
      const x = (still ? to[at] : from[at] + (to[at] - from[at]) * share) * ax + bx;
      const y = (still ? to[at + 1] : from[at + 1] + (to[at + 1] - from[at + 1]) * share) * ay + by;
      const { reach, phases } = stamps[kind];
      if (!(x > -reach && y > -reach && x < width + reach && y < height + reach)) continue;
      const column = Math.floor(x);
      const row = Math.floor(y);
      const phase = phases[(((y - row) * PHASES) | 0) * PHASES + (((x - column) * PHASES) | 0)];
      const whole = column >= reach && row >= reach && column < width - reach && row < height - reach;
      if (whole) put(out, row * width + column, phase, colours[kind]);
      else pressEdge(out, width, height, column, row, phase, colours[kind]);
    }
  }

  /** @param {Int32Array} out @param {Thumbs} thumbs */
  pictures(out, width, height, { ax, bx, ay, by }, thumbs) {
    const { from, to, share, kinds, shown, marked, count } = this;
    const ramps = this.styles.map(({ colour }) => ramp(this.paper, colour));
    const faded = this.styles.map(({ colour }) => ramp(this.paper, mixed(colour, this.paper, FADED)));
    const edge = (share) => this.styles.map(({ colour }) => word(mixed(colour, this.paper, share)));
    const [edges, fadedEdges] = [edge(0.3), edge(0.3 * FADED)];
    const { side, ids } = thumbs;
    for (let slot = 0; slot < ids.length; slot += 1) {
      const i = ids[slot];
      const kind = kinds[i];
      if (i >= count || !shown[kind]) continue;
      const x = (from[2 * i] + (to[2 * i] - from[2 * i]) * share) * ax + bx;
      const y = (from[2 * i + 1] + (to[2 * i + 1] - from[2 * i + 1]) * share) * ay + by;
      const left = Math.round(x - side / 2);
      const top = Math.round(y - side / 2);
      if (left <= -side || top <= -side || left >= width || top >= height) continue;
      const aside = marked && !marked[i];
      const words = (aside ? faded : ramps)[kind];
      blit(out, width, height, left, top, thumbs, slot, words, (aside ? fadedEdges : edges)[kind]);
    }
  }
}

/**
 * Write a dot whose pixels all lie inside the picture, which is opaque: two channels in one multiplication. It is most
 * of the work of a frame, hence no call and no alpha.
 */
function press(out, at, { step, cover, solid }, colour) {
  const ends = colour & 0xff00ff;
  const middle = colour & 0xff00;
  for (let j = 0; j < solid; j += 1) out[at + step[j]] = colour;
  for (let j = solid; j < step.length; j += 1) {
    const o = at + step[j];
    const old = out[o];
    const share = cover[j];
    const rest = 256 - share;
    const outer = ((Math.imul(old & 0xff00ff, rest) + Math.imul(ends, share)) >>> 8) & 0xff00ff;
    out[o] = -16777216 | outer | (((Math.imul(old & 0xff00, rest) + Math.imul(middle, share)) >>> 8) & 0xff00);
  }
}

/** The same over what shines through. */
function pressClear(out, at, { step, cover, solid }, colour) {
  for (let j = 0; j < solid; j += 1) out[at + step[j]] = colour;
  for (let j = solid; j < step.length; j += 1) out[at + step[j]] = blend(out[at + step[j]], colour, cover[j]);
}

/** Write what lies inside the picture of a dot at its edge. */
function pressEdge(out, width, height, column, row, { right, down, cover }, colour) {
  for (let j = 0; j < cover.length; j += 1) {
    const x = column + right[j];
    const y = row + down[j];
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    out[y * width + x] = blend(out[y * width + x], colour, cover[j]);
  }
}

/** Two channels in one multiplication; `share` of 0..256. */
function blend(old, colour, share) {
  const rest = 256 - share;
  const outer = ((Math.imul(old & 0xff00ff, rest) + Math.imul(colour & 0xff00ff, share)) >>> 8) & 0xff00ff;
  const inner = ((Math.imul(old & 0xff00, rest) + Math.imul(colour & 0xff00, share)) >>> 8) & 0xff00;
  const alpha = old >>> 24;
  return (Math.min(255, alpha + (((255 - alpha) * share) >> 8) + 1) << 24) | outer | inner;
}

/** Write one thumbnail; small ones leave out their paper, larger ones are little cards with an edge. */
function blit(out, width, height, left, top, { side, channels, pixels }, slot, words, edge) {
  const small = side < 14;
  const start = slot * side * side * channels;
  const x0 = Math.max(0, -left);
  const x1 = Math.min(side, width - left);
  for (let y = Math.max(0, -top); y < side && top + y < height; y += 1) {
    const row = (top + y) * width + left;
    const first = start + y * side * channels;
    const rim = y === 0 || y === side - 1;
    for (let x = x0; x < x1; x += 1) {
      const rims = !small && (rim || x === 0 || x === side - 1);
      if (rims) out[row + x] = edge;
      else if (channels === 3) out[row + x] = rgbAt(pixels, first + 3 * x);
      else if (!small || pixels[first + x] > 40) out[row + x] = words[pixels[first + x]];
    }
  }
}

const rgbAt = (pixels, at) => (255 << 24) | (pixels[at + 2] << 16) | (pixels[at + 1] << 8) | pixels[at];
