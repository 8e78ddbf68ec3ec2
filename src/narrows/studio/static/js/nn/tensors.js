/** The numbers of a model, made ready layer by layer when a layer first needs them. */

import { NUMBERS } from "narrows/state/half";

/** @typedef {{at: number, shape: number[], tensor: string}} Slot Where a tensor stands in the flat array. */

export class Tensors {
  /** @param {Uint16Array | Float32Array} values All numbers in the graph's order, as float16 patterns or as numbers. */
  constructor(values) {
    this.values = values;
    this.version = 0;
    /** @type {Map<string, () => Float32Array>} */
    this.readers = new Map();
  }

  /** @param {Uint16Array | Float32Array} values They are kept, not copied. */
  update(values) {
    this.values = values;
    this.version += 1;
  }

  /**
   * A function that gives the newest numbers of a tensor, always in the same array.
   * @param {Slot} slot
   * @param {boolean} [turned] Rows as columns: (a, b...) as (b..., a).
   * @returns {() => Float32Array}
   */
  reader(slot, turned = false) {
    const key = `${slot.at} ${turned}`;
    const known = this.readers.get(key) ?? this.newReader(slot, turned);
    this.readers.set(key, known);
    return known;
  }

  /** @param {Slot} slot @param {boolean} turned */
  newReader({ at, shape }, turned) {
    const [rows, ...rest] = shape;
    const columns = rest.reduce((a, b) => a * b, 1);
    const array = new Float32Array(rows * columns);
    let seen = -1;
    return () => {
      if (seen === this.version) return array;
      const part = this.values.subarray(at, at + array.length);
      const [row, column] = turned ? [1, rows] : [columns, 1];
      if (part instanceof Uint16Array) unpack(part, array, rows, columns, row, column);
      else place(part, array, rows, columns, row, column);
      seen = this.version;
      return array;
    };
  }
}

/**
 * @param {Uint16Array} from @param {Float32Array} to @param {number} rows @param {number} columns
 * @param {number} row From a row to the next in `to`. @param {number} column From a column to the next.
 */
function unpack(from, to, rows, columns, row, column) {
  for (let i = 0, at = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1, at += 1) to[i * row + j * column] = NUMBERS[from[at]];
  }
}

/**
 * @param {Float32Array} from @param {Float32Array} to @param {number} rows @param {number} columns
 * @param {number} row @param {number} column
 */
function place(from, to, rows, columns, row, column) {
  for (let i = 0, at = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1, at += 1) to[i * row + j * column] = from[at];
  }
}
