/** What the encoder is shown of the first objects of a run: where the recipe corrupts them, the corrupted ones. */

import { api } from "narrows/state/api";
import { firstObjects } from "narrows/nn/census";
import { unhalved } from "narrows/state/half";

/** Objects that the server corrupts for a page, always in the same way; the frames of tiles show the same ones. */
export const SHOWN = 12;

/** @type {WeakMap<any, Promise<Float32Array[]>>} */
const known = new WeakMap();

/**
 * The first objects of a run as they go in; equal to the objects themselves where nothing is done to them.
 * @param {import("narrows/state/run").Run} run
 * @returns {Promise<Float32Array[]>}
 */
export function inputsOf(run) {
  const old = known.get(run);
  const promise = old ?? read(run);
  known.set(run, promise);
  promise.catch(() => known.delete(run));
  return promise;
}

/** @param {import("narrows/state/run").Run} run */
async function read(run) {
  const recipe = run.detail.peek()?.recipe;
  const clean = await firstObjects(run, SHOWN);
  if (!recipe || recipe.corruption.kind === "none" || !clean.length) return clean;
  const bytes = await api.postForBytes("corrupt", { recipe, objects: clean.map((_, i) => i), seed: recipe.seed });
  const values = unhalved(new Uint16Array(bytes));
  return clean.map((object, i) => values.subarray(i * object.length, (i + 1) * object.length));
}

/**
 * One object as it goes in: corrupted where it is one of the first.
 * @param {import("narrows/state/run").Run} run @param {number} index
 */
export async function inputOf(run, index) {
  const clean = await run.object(index);
  return index < SHOWN ? ((await inputsOf(run).catch(() => []))[index] ?? clean) : clean;
}
