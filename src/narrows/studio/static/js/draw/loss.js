/** How much was lost of an object, in words. */

import { short } from "narrows/page/controls";

/** @typedef {import("narrows/draw/draw").Look} Look */

/** Kinds that are drawn as curves, of which one cannot see how large an error is. */
const CURVES = ["series", "spectrum", "sound"];

/** @param {Look | null | undefined} look */
export const isCurve = (look) => CURVES.includes(look?.kind ?? "");

/**
 * The root of a mean squared error as a share of the height that a curve is drawn with; empty for what is no curve.
 * @param {Look} look @param {number} error
 */
export function lossShare(look, error) {
  if (!isCurve(look) || !Number.isFinite(error)) return "";
  const percent = (100 * Math.sqrt(error)) / (look.high - look.low);
  const words = percent > 0 && percent < 0.1 ? "under 0.1" : `±${percent.toFixed(percent < 10 ? 1 : 0)}`;
  return `${words}% of the height`;
}

/** A mean squared error in words. @param {Look} look @param {number} error */
export const lossText = (look, error) => [short(error), lossShare(look, error)].filter(Boolean).join(" · ");
