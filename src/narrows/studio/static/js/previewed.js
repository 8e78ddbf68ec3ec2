/** The binary answer to a preview: what is said of the recipe, its first weights, and some objects. */

/**
 * Parts one after the other, each preceded by its length as u32.
 * @param {ArrayBuffer} buffer
 * @returns {{said: any, weights: ArrayBuffer, objects: ArrayBuffer}}
 */
export function unpackPreview(buffer) {
  const view = new DataView(buffer);
  const parts = [];
  for (let at = 0; at + 4 <= buffer.byteLength; ) {
    const length = view.getUint32(at, true);
    parts.push(buffer.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [said, weights, objects] = parts;
  return { said: JSON.parse(new TextDecoder().decode(said)), weights, objects };
}
