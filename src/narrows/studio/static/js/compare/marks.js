/** What tells the columns apart, everywhere on the view: a colour, a letter and a name. */

import { css, token } from "narrows/draw";

const TOKENS = ["class-0", "class-2", "class-4", "class-6"];
export const LETTERS = ["A", "B", "C", "D"];

/** @param {number} n @returns {number[]} */
export const columnColour = (n) => token(TOKENS[n % TOKENS.length]);

/** @param {number} n @param {number} [alpha] */
export const columnCss = (n, alpha = 1) => css(columnColour(n), alpha);

/** @param {import("narrows/run").Run} run */
export function nameOf(run) {
  const recipe = run.detail.value?.recipe;
  if (!recipe) return "";
  const { kind, size } = recipe.bottleneck;
  return [recipe.network.kind, kind === "plain" ? "" : kind, String(size)].filter(Boolean).join(" ");
}

/** The last validation error of a run, or null. @param {import("narrows/run").Run} run @returns {number | null} */
export const validOf = (run) => run.epochs.value.at(-1)?.valid ?? run.info.value.valid ?? null;
