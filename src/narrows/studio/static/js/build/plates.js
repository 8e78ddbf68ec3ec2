/**
 * Plates: how the values of a layer become pixels.
 *
 * A plate is made once for a layer and a size: for every pixel it knows which value stands there, so painting is one
 * look-up a pixel. Positive values take the colour of their part, negative ones grey, and zero is the card.
 */

import { css, token } from "narrows/draw/draw";

/**
 * @typedef {{x: number, y: number, w: number, h: number}} Box In CSS pixels of the plate.
 * @typedef {{source: Int32Array, pick: (pass: any) => ArrayLike<number>, fixed?: number}} Field
 *   Which value of `pick(pass)` stands at each pixel, -1 for none; `fixed` is the size that is full colour.
 * @typedef {{kind: string, width: number, height: number, ratio: number, fields: Field[], bars: Bars | null,
 *   units: number, box: (unit: number) => Box | null, at: (x: number, y: number) => Hit | null}} Plate
 * @typedef {{unit: number, place: number, text?: string, way?: number, gate?: string}} Hit A unit, and which of its places (-1
 *   for all); of an LSTM which way and which gate.
 * @typedef {{lanes: number, rows: number, count: number, pitch: number, lane: number, gap: number,
 *   pick: (pass: any) => ArrayLike<number>}} Bars
 */

const STEPS = 256;
const MOST_LANES = 10;

/**
 * Colours for -1..1 as packed RGBA: grey below zero, `part` above.
 * @param {string} part "encoder", "code" or "decoder".
 * @returns {Uint32Array} (256,)
 */
export function ramp(part) {
  const [low, middle, high] = [token("muted"), token("card"), token(part)];
  const colours = new Uint32Array(STEPS);
  for (let i = 0; i < STEPS; i += 1) {
    const share = i / ((STEPS - 1) / 2) - 1;
    const [end, size] = share < 0 ? [low, -share] : [high, share];
    const [r, g, b] = middle.map((from, c) => from + (end[c] - from) * size ** 0.8);
    colours[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return colours;
}

/**
 * Paint a pass on the canvas of a plate.
 * @param {CanvasRenderingContext2D} context
 * @param {Plate} plate
 * @param {any} pass What nn.js gave.
 * @param {{scale: number, colours: Uint32Array, part: string, image: ImageData | null}} how
 */
export function paintPlate(context, plate, pass, how) {
  if (plate.bars) return paintBars(context, plate, pass, how);
  const image = how.image ?? context.createImageData(context.canvas.width, context.canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (const { source, pick, fixed } of plate.fields) fill(pixels, source, pick(pass), fixed ?? how.scale, how.colours);
  context.putImageData(image, 0, 0);
  how.image = image;
  return undefined;
}

/**
 * @param {Uint32Array} pixels
 * @param {Int32Array} source
 * @param {ArrayLike<number>} values
 * @param {number} scale
 * @param {Uint32Array} colours
 */
function fill(pixels, source, values, scale, colours) {
  const half = (STEPS - 1) / 2;
  const step = half / (scale || 1);
  for (let p = 0; p < source.length; p += 1) {
    const from = source[p];
    if (from < 0) continue;
    const at = half + values[from] * step;
    pixels[p] = colours[at > 0 ? (at < STEPS - 1 ? at | 0 : STEPS - 1) : 0];
  }
}

/** @param {CanvasRenderingContext2D} context @param {Plate} plate @param {any} pass @param {{scale: number, part: string}} how */
function paintBars(context, { bars, width, height, ratio }, pass, { scale, part }) {
  const { rows, count, pitch, lane, gap, pick } = /** @type {Bars} */ (bars);
  const values = pick(pass);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const thick = Math.max(0.6, pitch > 3 ? pitch - 1 : pitch * 0.72);
  const half = lane / 2;
  for (const sign of [1, -1]) {
    context.fillStyle = css(token(sign > 0 ? part : "muted"));
    for (let i = 0; i < count; i += 1) {
      const value = values[i] * sign;
      if (!(value > 0)) continue;
      const long = Math.min(1, value / (scale || 1)) * half;
      const middle = Math.floor(i / rows) * (lane + gap) + half;
      context.fillRect(sign > 0 ? middle : middle - long, (i % rows) * pitch, Math.max(0.7, long), thick);
    }
  }
}

/**
 * Maps of a convolution (C, H, W), or of a code that is one, in rows and columns that fill the box.
 * @param {{channels: number, height: number, width: number, channelStep: number, pixelStep: number}} shape How far
 *   apart channels and pixels of a channel stand in the values.
 * @param {Box} box @param {number} ratio @param {(pass: any) => ArrayLike<number>} pick
 * @returns {Plate}
 */
export function mapsPlate(shape, box, ratio, pick) {
  const { columns, rows, cell, gap } = arrange(shape, box);
  const [cw, ch] = [cell * shape.width, cell * shape.height];
  const [width, height] = [columns * cw + (columns - 1) * gap, rows * ch + (rows - 1) * gap];
  const shown = Math.min(shape.channels, rows * columns);
  const place = (unit) => ({ x: (unit % columns) * (cw + gap), y: Math.floor(unit / columns) * (ch + gap), w: cw, h: ch });
  const plate = blank("maps", width, height, ratio, shape.channels);
  const source = new Int32Array(plate.pixels[0] * plate.pixels[1]).fill(-1);
  for (let unit = 0; unit < shown; unit += 1) {
    const index = (x, y) => unit * shape.channelStep + (y * shape.width + x) * shape.pixelStep;
    stamp(source, plate.pixels, scaledBox(place(unit), ratio), shape.width, shape.height, index);
  }
  const at = (x, y) => {
    const [column, row] = [Math.floor(x / (cw + gap)), Math.floor(y / (ch + gap))];
    const unit = row * columns + column;
    if (column < 0 || column >= columns || row < 0 || unit >= shown || x < 0) return null;
    const [px, py] = [Math.floor((x - column * (cw + gap)) / cell), Math.floor((y - row * (ch + gap)) / cell)];
    const inside = px < shape.width && py < shape.height;
    return { unit, place: inside ? py * shape.width + px : -1 };
  };
  return Object.assign(plate, { fields: [{ source, pick }], box: (unit) => (unit < shown ? place(unit) : null), at });
}

/** As large as they can be in the box. @param {{channels: number, height: number, width: number}} shape @param {Box} box */
function arrange({ channels, height, width }, box) {
  const gap = channels > 40 ? 1.5 : 3;
  let best = { columns: 1, rows: 1, cell: 0, gap };
  for (let columns = 1; columns <= channels; columns += 1) {
    const rows = Math.ceil(channels / columns);
    const cell = Math.min((box.w - (columns - 1) * gap) / (columns * width), (box.h - (rows - 1) * gap) / (rows * height));
    if (cell > best.cell) best = { columns, rows, cell, gap };
  }
  return best.cell * width >= 3 ? best : crowded(width, height, box);
}

/** Too many to be seen: as many as can be. @param {number} width @param {number} height @param {Box} box */
function crowded(width, height, box) {
  const cell = 3 / width;
  const columns = Math.max(1, Math.floor((box.w + 1) / 4));
  return { columns, rows: Math.max(1, Math.floor((box.h + 1) / (cell * height + 1))), cell, gap: 1 };
}

/**
 * A field of values (rows, columns), such as steps of time by units.
 * @param {{rows: number, columns: number, rowStep: number, columnStep: number}} shape
 * @param {Box} box @param {number} ratio @param {(pass: any) => ArrayLike<number>} pick
 * @returns {Plate}
 */
export function fieldPlate(shape, box, ratio, pick) {
  const plate = blank("rows", box.w, box.h, ratio, shape.rows);
  const source = new Int32Array(plate.pixels[0] * plate.pixels[1]).fill(-1);
  const whole = { x: 0, y: 0, w: box.w, h: box.h };
  const index = (x, y) => y * shape.rowStep + x * shape.columnStep;
  stamp(source, plate.pixels, scaledBox(whole, ratio), shape.columns, shape.rows, index, shape.rows <= box.h / 3);
  return Object.assign(plate, {
    fields: [{ source, pick }],
    box: (unit) => ({ x: 0, y: (unit / shape.rows) * box.h, w: box.w, h: Math.max(1, box.h / shape.rows) }),
    at: (x, y) => inField(x, y, box, shape),
  });
}

/** @param {number} x @param {number} y @param {Box} box @param {{rows: number, columns: number}} shape */
function inField(x, y, box, { rows, columns }) {
  if (x < 0 || y < 0 || x >= box.w || y >= box.h) return null;
  return { unit: Math.floor((y / box.h) * rows), place: Math.floor((x / box.w) * columns) };
}

export const GATES = /** @type {const} */ ({
  input: "what comes in",
  forget: "what is kept",
  candidate: "what is offered",
  output: "what is let out",
  cell: "the memory itself",
  hidden: "what is said",
});

/**
 * The gates of an LSTM as strips: time from left to right, units from top to bottom, one column of strips a way.
 * @param {{steps: number, hidden: number, ways: number, name: string}} shape
 * @param {Box} box @param {number} ratio
 * @returns {Plate}
 */
export function gatesPlate({ steps, hidden, ways, name }, box, ratio) {
  const names = Object.keys(GATES);
  const gap = 3;
  const [w, h] = [(box.w - (ways - 1) * gap) / ways, (box.h - (names.length - 1) * gap) / names.length];
  const plate = blank("gates", box.w, box.h, ratio, hidden);
  const place = (way, row) => ({ x: way * (w + gap), y: row * (h + gap), w, h });
  const fields = names.flatMap((gate, row) =>
    Array.from({ length: ways }, (_, way) => {
      const source = new Int32Array(plate.pixels[0] * plate.pixels[1]).fill(-1);
      stamp(source, plate.pixels, scaledBox(place(way, row), ratio), steps, hidden, (x, y) => x * hidden + y);
      return { source, pick: (pass) => pass.gates[name][way][gate], fixed: gate === "cell" ? 2 : 1 };
    }),
  );
  const at = (x, y) => {
    const [way, row] = [Math.floor(x / (w + gap)), Math.floor(y / (h + gap))];
    const inside = inField(x - way * (w + gap), y - row * (h + gap), { x: 0, y: 0, w, h }, { rows: hidden, columns: steps });
    if (!inside || way < 0 || way >= ways || row >= names.length) return null;
    const text = `${names[row]} gate, ${way % 2 ? "backward" : "forward"}: ${GATES[names[row]]}`;
    return { ...inside, way, gate: names[row], text: row < 4 ? text : text.replace(" gate", "") };
  };
  const box0 = (unit) => ({ x: 0, y: (names.length - 1) * (h + gap) + (unit / hidden) * h, w, h: Math.max(1, h / hidden) });
  return Object.assign(plate, { fields, box: box0, at });
}

/**
 * One bar a unit, to the right above zero and to the left below, in as many lanes as they need.
 * @param {number} count @param {Box} box @param {number} ratio @param {(pass: any) => ArrayLike<number>} pick
 * @returns {Plate}
 */
export function barsPlate(count, box, ratio, pick) {
  const gap = 3;
  const lanes = Math.max(1, Math.min(MOST_LANES, Math.floor((box.w + gap) / 9), Math.ceil(count / Math.max(1, box.h / 2))));
  const rows = Math.ceil(count / lanes);
  const pitch = Math.min(9, box.h / rows);
  const lane = (box.w - (lanes - 1) * gap) / lanes;
  const plate = blank("bars", box.w, pitch * rows, ratio, count);
  const at = (x, y) => {
    const [column, row] = [Math.floor(x / (lane + gap)), Math.floor(y / pitch)];
    const unit = column * rows + row;
    return column >= 0 && column < lanes && row >= 0 && row < rows && unit < count ? { unit, place: -1 } : null;
  };
  return Object.assign(plate, {
    bars: { lanes, rows, count, pitch, lane, gap, pick },
    box: (unit) => ({ x: Math.floor(unit / rows) * (lane + gap), y: (unit % rows) * pitch, w: lane, h: Math.max(2, pitch) }),
    at,
  });
}

/**
 * @param {string} kind
 * @param {number} width
 * @param {number} height
 * @param {number} ratio
 * @param {number} units
 * @returns {any}
 */
function blank(kind, width, height, ratio, units) {
  const pixels = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  return { kind, width, height, ratio, pixels, units, fields: [], bars: null, box: () => null, at: () => null };
}

/** @param {Box} box @param {number} ratio */
const scaledBox = ({ x, y, w, h }, ratio) => ({
  x0: Math.round(x * ratio),
  y0: Math.round(y * ratio),
  x1: Math.max(Math.round(x * ratio) + 1, Math.round((x + w) * ratio)),
  y1: Math.max(Math.round(y * ratio) + 1, Math.round((y + h) * ratio)),
});

/**
 * Write into `source` which value stands at each pixel of a rectangle; its corners are left out, so that it looks round.
 * @param {Int32Array} source @param {number[]} pixels @param {{x0: number, y0: number, x1: number, y1: number}} box
 * @param {number} columns @param {number} rows @param {(x: number, y: number) => number} index
 * @param {boolean} [lined] Leave a line free between rows.
 */
function stamp(source, [width, height], { x0, y0, x1, y1 }, columns, rows, index, lined = false) {
  const [w, h] = [x1 - x0, y1 - y0];
  const round = w > 10 && h > 10;
  for (let y = y0; y < Math.min(y1, height); y += 1) {
    const row = Math.min(rows - 1, Math.floor(((y - y0) / h) * rows));
    if (lined && row !== Math.floor(((y + 1 - y0) / h) * rows)) continue;
    for (let x = x0; x < Math.min(x1, width); x += 1) {
      const corner = round && Math.min(x - x0, x1 - 1 - x) + Math.min(y - y0, y1 - 1 - y) < 2;
      if (!corner) source[y * width + x] = index(Math.min(columns - 1, Math.floor(((x - x0) / w) * columns)), row);
    }
  }
}

/**
 * The size of value that is full colour, kept steady from frame to frame: it grows at once and shrinks slowly.
 */
export class Scale {
  constructor() {
    this.size = 0;
  }

  /** @param {ArrayLike<number>} values */
  follow(values) {
    let most = 1e-6;
    for (let i = 0; i < values.length; i += 1) {
      const size = values[i] < 0 ? -values[i] : values[i];
      if (size > most) most = size;
    }
    this.size = most > this.size ? most : this.size + (most - this.size) * 0.04;
    return this.size;
  }
}
