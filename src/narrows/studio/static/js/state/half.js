/** Float16 numbers, read by a table of all 65,536. */

/** @param {number} bits */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/** The number behind each of the 65,536 patterns. */
export const NUMBERS = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));

/**
 * @param {Uint16Array} packed
 * @param {Float32Array} [into]
 * @returns {Float32Array}
 */
export function unhalved(packed, into = new Float32Array(packed.length)) {
  for (let i = 0; i < packed.length; i += 1) into[i] = NUMBERS[packed[i]];
  return into;
}
