/** What tells the columns apart, everywhere on the view: a colour, a letter and a name. */

import { css, token } from "narrows/draw/draw";
import { comparable, validMse } from "narrows/build/measure";

const TOKENS = ["class-0", "class-2", "class-4", "class-6"];
export const LETTERS = ["A", "B", "C", "D"];

/** @param {number} n @returns {number[]} */
export const columnColour = (n) => token(TOKENS[n % TOKENS.length]);

/** @param {number} n @param {number} [alpha] */
export const columnCss = (n, alpha = 1) => css(columnColour(n), alpha);

/** @param {import("narrows/state/run").Run} run */
export function nameOf(run) {
  const recipe = run.detail.value?.recipe;
  if (!recipe) return "";
  const { kind, size } = recipe.bottleneck;
  return [recipe.network.kind, kind === "plain" ? "" : kind, String(size)].filter(Boolean).join(" ");
}

/** The newest mean squared error on validation objects, or null. @param {import("narrows/state/run").Run} run @returns {number | null} */
export const errorOf = (run) => (run.detail.value ? validMse(run.epochs.value, run.detail.value.recipe) : null);

/**
 * Mean squared errors on validation objects by step; what counts penalties in is left out.
 * @param {import("narrows/state/run").Run} run @returns {[number, number][]}
 */
export function errorsOf(run) {
  const fair = run.detail.value && comparable(run.detail.value.recipe);
  const known = run.epochs.value.map((one) => /** @type {[number, number]} */ ([one.step, one.mse ?? (fair ? one.valid : null)]));
  return known.filter(([step, error]) => step > 0 && error > 0);
}
