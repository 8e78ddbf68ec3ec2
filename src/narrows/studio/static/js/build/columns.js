/** The layers of a graph as the columns of the hourglass: what each one shows, and where it stands. */

import { product } from "narrows/nn/ops";
import { unitsOf } from "narrows/nn/places";
import { barsPlate, fieldPlate, gatesPlate, mapsPlate } from "narrows/build/plates";

/**
 * @typedef {import("narrows/nn/nn").Graph} Graph
 * @typedef {import("narrows/nn/nn").Layer} Layer
 * @typedef {import("narrows/build/plates").Plate} Plate
 * @typedef {"maps"|"rows"|"bars"|"gates"|"object"} Kind
 * @typedef {{name: string, part: "object"|"encoder"|"bottleneck"|"decoder", role: "input"|"layer"|"code"|"output",
 *   title: string, shape: number[], numbers: number, kind: Kind, parameters: number, madds: number,
 *   layer: Layer | null, editAt: number | null, count?: number}} Column `editAt` is its place in the recipe's list of
 *   layers, `count` how many layers it stands for, if not one.
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 * @typedef {{column: Column, box: Box, label: Box, thick: number, middle: number}} Placed `box` holds the plate,
 *   `thick` is how thick the hourglass is there, `middle` where along it the column stands.
 */

/**
 * The columns of a model: its input, each layer with numbers of its own, the code, and its output.
 * @param {Graph} graph
 * @returns {Column[]}
 */
export function columnsOf(graph) {
  const read = new Set(graph.layers.flatMap(({ from }) => from));
  const drawn = graph.layers.filter((layer) => layer.parameters > 0 && (read.has(layer.name) || layer === lastOf(graph)));
  const last = drawn[drawn.length - 1];
  const outer = drawn.filter((layer) => layer.part !== "bottleneck" && layer !== last);
  const layers = outer.map((layer) => layerColumn(layer, graph));
  const turn = layers.findIndex(({ part }) => part === "decoder");
  const at = turn < 0 ? layers.length : turn;
  return [inputColumn(graph), ...layers.slice(0, at), codeColumn(graph), ...layers.slice(at), outputColumn(graph, last)];
}

/** The last layer with numbers of its own. @param {Graph} graph */
const lastOf = ({ layers }) => layers.filter(({ parameters }) => parameters > 0).at(-1);

/** @param {Graph} graph @returns {Column} */
const inputColumn = ({ shape, values }) => ({
  name: "object", part: "object", role: "input", title: "input", shape, numbers: values, kind: "object",
  parameters: 0, madds: 0, layer: null, editAt: null,
});

/** @param {Graph} graph @param {Layer} last @returns {Column} */
const outputColumn = ({ shape, values }, last) => ({
  name: last.name, part: "decoder", role: "output", title: "output", shape, numbers: values, kind: "object",
  parameters: last.parameters, madds: last.madds, layer: last, editAt: null,
});

/** What stands between encoder and decoder, in one column. @param {Graph} graph @returns {Column} */
function codeColumn({ code, layers }) {
  const own = layers.filter(({ part }) => part === "bottleneck");
  const sum = (what) => own.reduce((total, layer) => total + layer[what], 0);
  const shape = [...code.grid, code.size];
  const layer = layers.find(({ name }) => name === code.layer) ?? null;
  return {
    name: code.layer, part: "bottleneck", role: "code", title: "code", shape, numbers: product(shape), kind: kindOf(shape, "dense"),
    parameters: sum("parameters"), madds: sum("madds"), layer, editAt: null,
  };
}

/** @param {Layer} layer @param {Graph} graph @returns {Column} */
function layerColumn(layer, graph) {
  const shape = grown(layer, graph);
  return {
    name: layer.name, part: /** @type {any} */ (layer.part), role: "layer", title: titleOf(layer), shape, numbers: product(shape),
    kind: kindOf(shape, layer.op), parameters: layer.parameters, madds: layer.madds, layer, editAt: placeInRecipe(layer.name),
  };
}

/**
 * What is drawn of a layer: of an LSTM all its steps, and a row of features on the grid it is spread over.
 * @param {Layer} layer
 * @param {Graph} graph
 */
function grown(layer, { layers }) {
  if (layer.op === "lstm") return [layer.in[0], 2 * /** @type {number} */ (layer.hidden)];
  const next = layers.find(({ from }) => from[0] === layer.name);
  return layer.out.length === 1 && next?.op === "reshape" && layer.part === "decoder" ? next.out : layer.out;
}

/** @param {Layer} layer */
const titleOf = ({ op, label }) => (op === "dense" ? "dense" : op === "position" ? "step bias" : label.split(",")[0]);

/** @param {string} name */
function placeInRecipe(name) {
  const found = /^encoder\.layers\.(\d+)$/.exec(name);
  return found ? Number(found[1]) : null;
}

/** @param {number[]} shape @param {string} op @returns {Kind} */
function kindOf(shape, op) {
  if (op === "lstm") return "gates";
  return shape.length === 3 ? "maps" : shape.length === 2 ? "rows" : "bars";
}

/**
 * Where a hit on a plate stands in its layer.
 * @param {Column} column @param {import("narrows/build/plates").Hit} hit
 * @returns {{unit: number, index: number}} The layer's own unit, and one of its values.
 */
export function valueOf({ layer, shape, role, kind }, { unit, place, way = 0 }) {
  const { count, places, at } = unitsOf(/** @type {Layer} */ (layer));
  if (role === "layer" && ["maps", "rows"].includes(kind) && /** @type {Layer} */ (layer).out.length === 1) {
    const index = unit * product(shape.slice(1)) + Math.max(0, place);
    return { unit: index, index };
  }
  const own = kind === "gates" ? (way % 2) * /** @type {any} */ (layer).hidden + unit : unit;
  return { unit: Math.min(own, count - 1), index: at(Math.min(own, count - 1), Math.max(0, Math.min(places - 1, place))) };
}

/** A shape as one reads it. @param {number[]} shape */
export const shapeText = (shape) => shape.join("×");

/** A count that fits under a column: 512, 9,408, 25k, 1.2M. @param {number} count */
export function countText(count) {
  if (count < 10_000) return count.toLocaleString("en");
  if (count < 1_000_000) return `${Math.round(count / 1000)}k`;
  return `${(count / 1e6).toPrecision(count < 1e7 ? 2 : 3)}M`;
}

/**
 * The plate of a column in a box.
 * @param {Column} column @param {Box} box @param {number} ratio Pixels of the screen a CSS pixel.
 * @returns {Plate}
 */
export function plateOf(column, box, ratio) {
  const { name, shape, kind, layer, role } = column;
  const pick = (pass) => (role === "code" ? pass.z : pass.trace[name]);
  if (kind === "gates") return gatesPlate(gatesShape(/** @type {Layer} */ (layer)), box, ratio);
  if (kind === "maps") return mapsPlate(mapsShape(column), box, ratio, pick);
  if (kind === "rows") return fieldPlate(rowsShape(column), box, ratio, pick);
  return barsPlate(shape[0], box, ratio, pick);
}

/** @param {Layer} layer */
const gatesShape = (layer) => ({
  steps: layer.in[0], hidden: /** @type {number} */ (layer.hidden), ways: 2 * /** @type {number} */ (layer.layers), name: layer.name,
});

/**
 * Convolutions have their channels first; a code that is a map, and what is made of each place of it, have them last.
 * @param {Column} column
 */
function mapsShape({ shape, role, layer }) {
  const last = role === "code" || (layer?.op === "dense" && layer.out.length === 3);
  const [channels, height, width] = last ? [shape[2], shape[0], shape[1]] : shape;
  return { channels, height, width, channelStep: last ? 1 : height * width, pixelStep: last ? channels : 1 };
}

/** A unit a row, along time: (C, L) of a convolution, (T, F) of what is read step by step. @param {Column} column */
function rowsShape({ shape, layer, role }) {
  const first = role !== "code" && /^conv/.test(layer?.op ?? "");
  const [rows, columns] = first || isSpread(layer, shape) ? shape : [shape[1], shape[0]];
  return first || isSpread(layer, shape) ? { rows, columns, rowStep: columns, columnStep: 1 } : { rows, columns, rowStep: 1, columnStep: rows };
}

/** @param {Layer | null} layer @param {number[]} shape */
const isSpread = (layer, shape) => layer?.op === "dense" && layer.out.length === 1 && shape.length === 2;

/** The share of the full height a layer is drawn with: the side of a square of as many values, beside the largest. */
export const THINNEST = 0.2;

/** @param {number} numbers @param {number} most */
export const thickness = (numbers, most) => THINNEST + (1 - THINNEST) * Math.sqrt(numbers / most);

const WIDTHS = { maps: [62, 118], rows: [52, 100], bars: [38, 84], gates: [88, 132], object: [84, 150] };
const NEEDED = { maps: 76, rows: 70, bars: 64, gates: 190, object: 84 };
const WAIST = [92, 118];
/** Height of the labels under the columns. */
export const LABEL = 70;
const HEAD = 34;

/** Between two columns at least, and where they have to be made narrower than they should be. */
const GAP = 10;
const TIGHT_GAP = 4;

/** Widths of columns: what they need and what suits them. @param {Column[]} columns @param {number} full */
function widthsIn(columns, full) {
  const wanted = columns.map((column) => widthsOf(column, full));
  const [least, best] = [0, 1].map((i) => wanted.reduce((sum, pair) => sum + pair[i], 0));
  return { wanted, least, best };
}

/** Whether columns have the room they need side by side. @param {Column[]} columns @param {{width: number, height: number}} room */
export function fits(columns, { width, height }) {
  return widthsIn(columns, height - HEAD - LABEL).least + GAP * (columns.length - 1) <= width;
}

/**
 * Where everything stands when the hourglass runs from left to right; what does not fit is drawn narrower.
 * @param {Column[]} columns @param {{width: number, height: number}} room
 * @returns {{placed: Placed[], width: number, height: number}}
 */
export function layAcross(columns, { width, height }) {
  const most = Math.max(...columns.map(({ numbers }) => numbers));
  const full = height - HEAD - LABEL;
  const { wanted, least, best } = widthsIn(columns, full);
  const gaps = columns.length - 1;
  const free = width - GAP * gaps;
  const squeeze = Math.min(1, (width - TIGHT_GAP * gaps) / least);
  const share = Math.max(0, Math.min(1, (free - least) / (best - least || 1)));
  const gap = (width - (free < least ? squeeze * least : Math.min(free, best))) / gaps;
  const axis = HEAD + full / 2;
  let x = 0;
  const placed = columns.map((column, i) => {
    const w = squeeze * (wanted[i][0] + share * (wanted[i][1] - wanted[i][0]));
    const thick = thickness(column.numbers, most) * full;
    const h = Math.min(full, Math.max(NEEDED[column.kind], thick * 0.84));
    const at = x;
    x += w + gap;
    return {
      column, thick, middle: at + w / 2,
      box: { x: at, y: axis - h / 2, w, h },
      label: { x: at - gap / 2, y: height - LABEL + 6, w: w + gap, h: LABEL - 6 },
    };
  });
  return { placed, width, height };
}

/** @param {Column} column @param {number} full */
function widthsOf(column, full) {
  if (column.role === "code") return WAIST;
  const [least, best] = WIDTHS[column.kind];
  const lanes = column.kind === "bars" ? Math.min(6, Math.ceil(column.numbers / (full / 2.5))) : 1;
  return [least + 6 * (lanes - 1), best + 12 * (lanes - 1)];
}

const DEEP = { maps: 96, rows: 76, bars: 56, gates: 150, object: 108 };
const BESIDE = 118;
/** Height of a label beside a layer: a name and three lines. */
const NOTE = 66;

/**
 * Where everything stands when it runs downwards, on a phone.
 * @param {Column[]} columns @param {{width: number}} room
 * @returns {{placed: Placed[], width: number, height: number}}
 */
export function layDown(columns, { width }) {
  const most = Math.max(...columns.map(({ numbers }) => numbers));
  const full = width - BESIDE;
  const gap = 18;
  let y = 8;
  const placed = columns.map((column) => {
    const h = column.role === "code" ? 128 : DEEP[column.kind];
    const thick = thickness(column.numbers, most) * full;
    const w = Math.min(full, Math.max(column.role === "code" ? 150 : NEEDED[column.kind] + 20, thick * 0.84));
    const at = y;
    y += h + gap;
    const middle = at + h / 2;
    const label = { x: full + 6, y: middle - NOTE / 2, w: BESIDE - 8, h: NOTE };
    return { column, thick, middle, box: { x: (full - w) / 2, y: at, w, h }, label };
  });
  return { placed, width, height: y };
}
