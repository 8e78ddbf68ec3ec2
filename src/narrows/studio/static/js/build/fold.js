/** Layers of one resolution as one column, where all of them have no room side by side, as in a U-Net. */

import { fits } from "narrows/build/columns";

/** @typedef {import("narrows/build/columns").Column} Column */

/**
 * The columns as they have room: neighbours of one part and one shape become one column, which shows the last of them,
 * unless one of them is opened.
 * @param {Column[]} columns @param {{width: number, height: number}} room
 * @param {string | null} opened Name of the opened layer.
 * @returns {Column[]}
 */
export function inRoom(columns, room, opened) {
  if (fits(columns, room)) return columns;
  return blocksOf(columns).flatMap((block) => (block.some(({ name }) => name === opened) ? block : [joined(block)]));
}

/** Neighbours that may become one column. @param {Column[]} columns @returns {Column[][]} */
function blocksOf(columns) {
  /** @type {Column[][]} */
  const blocks = [];
  for (const column of columns) {
    const last = blocks.at(-1);
    if (last && alike(last[0], column)) last.push(column);
    else blocks.push([column]);
  }
  return blocks;
}

/** @param {Column} a @param {Column} b */
const alike = (a, b) => [a, b].every(isMap) && a.part === b.part && String(a.shape) === String(b.shape);

/** @param {Column} column */
const isMap = ({ role, kind }) => role === "layer" && (kind === "maps" || kind === "rows");

/** @param {Column[]} block @returns {Column} */
function joined(block) {
  const sum = (what) => block.reduce((total, column) => total + column[what], 0);
  const last = block[block.length - 1];
  return block.length === 1 ? last : { ...last, count: block.length, parameters: sum("parameters"), madds: sum("madds") };
}
