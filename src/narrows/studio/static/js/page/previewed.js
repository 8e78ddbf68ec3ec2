/** What the server makes of a recipe before it trains: the whole recipe, its layers, first weights, some objects. */

import { api } from "narrows/state/api";
import { unpack } from "narrows/state/frames";
import { unhalved } from "narrows/state/half";
import { Model, scaled } from "narrows/nn/nn";

/**
 * @typedef {any} Planned What is said of a recipe, and `weights` (a frame of the untrained model) and `objects` as bytes.
 */

/**
 * @param {unknown} wish A recipe, or the names of what is chosen.
 * @returns {Promise<Planned>}
 */
export async function planned(wish) {
  const { said, weights, objects } = unpackPreview(await api.postForBytes("preview?frames=1", wish));
  return { ...said, weights, objects };
}

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

/**
 * The untrained model; null where it is too large for a page, or was not sent.
 * @param {Planned | null} plan
 */
export function untrained(plan) {
  if (!plan?.weights?.byteLength) return null;
  const frame = /** @type {import("narrows/state/frames").WeightsFrame} */ (unpack(plan.weights));
  return new Model(plan.graph, frame.values);
}

/**
 * The objects that came with it, as a model sees them.
 * @param {Planned | null} plan
 * @returns {Float32Array[]}
 */
export function exampleObjects(plan) {
  if (!plan?.objects?.byteLength) return [];
  const { graph, sample, objects } = plan;
  const all = sample.dtype === "uint8" ? scaled(new Uint8Array(objects), graph) : unhalved(new Uint16Array(objects));
  return sample.ids.map((_, i) => all.subarray(i * graph.values, (i + 1) * graph.values));
}
