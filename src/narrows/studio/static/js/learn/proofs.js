/** What came of a broken thing, in figures of the run itself. */

import { short } from "narrows/page/controls";

/**
 * @typedef {object} Facts What is known of the broken run.
 * @property {string} state
 * @property {number | null} ours Its mean squared error on objects it has not seen.
 * @property {number | null} first The same after the first epoch.
 * @property {number | null} train The error of training.
 * @property {number | null} mean That of always giving the mean object.
 * @property {number | null} pca That of PCA with as many numbers.
 * @property {number | null} sound That of the chapter's own network, if it was trained here.
 * @property {number | null} denoised Error against the clean objects when noise goes in.
 * @property {number | null} real Error of objects as they are.
 * @property {number | null} scrambled Error of scrambled ones.
 * @typedef {{words: string, holds: boolean | null}} Verdict `holds` is null where there is nothing to compare with.
 * @typedef {(facts: Facts) => Verdict | null} Proof Null while a figure is missing.
 */

/** What has fallen this little below the mean object has kept nothing. */
const NOTHING_KEPT = 0.75;
const NOTHING_LOST = 0.1;
const STILL = 0.9;
const BY_HEART = 2;

const DIVERGED = { words: "It diverged: its error is no number any more.", holds: true };

/** Hardly better than the mean object. @type {Proof} */
export function blurred({ state, ours, mean }) {
  if (state === "diverged") return DIVERGED;
  if (ours === null || mean === null) return null;
  return { words: `Its error is ${short(ours)}; always the mean picture gives ${short(mean)}.`, holds: ours > NOTHING_KEPT * mean };
}

/** Nothing passes the code. @type {Proof} */
export const collapsed = blurred;

/** Worse than the network that is not broken. @type {Proof} */
export function poorer({ ours, sound, pca }) {
  if (ours === null) return null;
  if (sound !== null) return { words: `Its error is ${short(ours)}; unbroken it was ${short(sound)}.`, holds: ours > sound };
  return { words: `Its error is ${short(ours)}; PCA with as many numbers gives ${short(pca)}.`, holds: null };
}

/** Almost everything comes back. @type {Proof} */
export function copied({ ours, mean }) {
  if (ours === null || mean === null) return null;
  const share = short(Math.round((1000 * ours) / mean) / 10);
  return { words: `Its error is ${short(ours)}: ${share}% of that of the mean picture, ${short(mean)}.`, holds: ours < NOTHING_LOST * mean };
}

/** Noise comes through. @type {Proof} */
export function stillNoisy({ denoised, sound }) {
  if (denoised === null) return null;
  const words = `With noise in, its outputs are off from the clean pictures by ${short(denoised)}`;
  if (sound === null) return { words: `${words}.`, holds: null };
  return { words: `${words}; trained with noise they were off by ${short(sound)}.`, holds: denoised > sound };
}

/** The error stays where it began. @type {Proof} */
export function unmoved({ ours, first, mean }) {
  if (ours === null || first === null) return null;
  return { words: `Its error was ${short(first)} after the first epoch and is ${short(ours)} now; always the mean picture gives ${short(mean)}.`, holds: ours > STILL * first };
}

/** What is scrambled does not stand out. @type {Proof} */
export function fooled({ real, scrambled }) {
  if (real === null || scrambled === null) return null;
  return { words: `Real pictures come out off by ${short(real)}, scrambled ones by ${short(scrambled)}.`, holds: scrambled < real / STILL };
}

/** Good on what it was shown only. @type {Proof} */
export function learnedByHeart({ train, ours }) {
  if (train === null || ours === null) return null;
  return { words: `Its error in training is ${short(train)}, on pictures it has not seen ${short(ours)}: ${short(Math.round((10 * ours) / train) / 10)} times as large.`, holds: ours > BY_HEART * train };
}
