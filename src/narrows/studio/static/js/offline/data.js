/** The data that a page carries in itself: what it is told as JSON, and bytes that are packed. */

/** @param {string} id */
const textOf = (id) => document.getElementById(id)?.textContent ?? "";

/** What the page is told: {run, where, widths}. */
export const about = JSON.parse(textOf("about"));

/** @type {Map<string, Promise<ArrayBuffer>>} */
const opened = new Map();

/**
 * Some bytes of the page, unpacked once.
 * @param {string} name
 * @returns {Promise<ArrayBuffer>}
 */
export function part(name) {
  const known = opened.get(name) ?? unpacked(textOf(`part-${name}`), about.widths[name]);
  opened.set(name, known);
  return known;
}

/**
 * Base64 of gzip of bytes that are parted by their place in each number of `width` bytes.
 * @param {string} text @param {number} width
 */
async function unpacked(text, width) {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) packed[i] = letters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = planes.length / width;
  const whole = new Uint8Array(planes.length);
  for (let plane = 0, from = 0; plane < width; plane += 1) {
    for (let i = 0, to = plane; i < count; i += 1, from += 1, to += width) whole[to] = planes[from];
  }
  return whole.buffer;
}
