/** The way to break a chapter's claim, and back: what will be tried, and once it was, what came of it. */

import { signal } from "@preact/signals-core";
import { validMse } from "narrows/build/measure";
import { isTrained } from "narrows/learn/chapters";
import { error, measure, range, useModel, useObjects } from "narrows/learn/figures";
import { gaussian, scrambled } from "narrows/learn/odd";
import { html, useEffect, useMemo, useValue } from "narrows/page/html";

/** @typedef {import("narrows/learn/chapters").Stage} Stage @typedef {import("narrows/learn/chapters").Chapter} Chapter */

/** Epochs after which something has been trained, if it has not come to its end before. */
const ENOUGH = 30;
const ENDED = ["done", "stopped", "diverged"];
const LOOKED_AT = 24;
const NOISE = 0.3;

/** Chapter -> the error its own network came to, for as long as the page is open. */
const sound = signal(/** @type {Record<string, number>} */ ({}));

/** Remember what a chapter's own network comes to. @param {Stage} stage @param {Chapter} chapter */
export function useSound({ studio }, { name, settings, breaks }) {
  const own = useValue(() => isTrained(studio, settings) && !isTrained(studio, breaks.settings) && errorOf(studio.run.value), [settings]);
  useEffect(() => void (own && (sound.value = { ...sound.value, [name]: own })), [own]);
}

/** @param {any} run @returns {number | null} */
const errorOf = (run) => (run.detail.value ? validMse(run.epochs.value, run.detail.value.recipe) : null);

/** @param {{stage: Stage, chapter: Chapter}} given */
export function Breaking({ stage, chapter }) {
  const { breaks, settings } = chapter;
  const broken = useValue(() => isTrained(stage.studio, breaks.settings), [chapter]);
  return html`<div class="breaking">
    ${broken
      ? html`<${Outcome} studio=${stage.studio} chapter=${chapter} /><button type="button" onClick=${() => stage.train(settings)}>Mend it</button>`
      : html`<button type="button" onClick=${() => stage.train(breaks.settings)}>${breaks.button}</button><p class="quiet">${breaks.watch}</p>`}
  </div>`;
}

/** What came of it, once it has been trained. @param {{studio: import("narrows/state/studio").Studio, chapter: Chapter}} given */
function Outcome({ studio, chapter }) {
  const { watch, why, proof } = chapter.breaks;
  const facts = useFacts(studio, chapter);
  const verdict = facts.trained ? proof(facts) : null;
  // What has not come about yet may still: it is given time to the end.
  if (!verdict || (verdict.holds === false && !facts.ended)) return html`<p class="quiet" role="status"><b>It is being trained.</b> ${watch}</p>`;
  const lead = verdict.holds === false ? html`<b>Not so this time.</b> Usually: ` : "";
  return html`<div class="note outcome"><p>${lead}${why}</p><p class="proof">${verdict.words}</p></div>`;
}

/**
 * What is known of the broken run.
 * @param {import("narrows/state/studio").Studio} studio @param {Chapter} chapter
 * @returns {import("narrows/learn/proofs").Facts & {trained: boolean, ended: boolean}}
 */
function useFacts(studio, { name }) {
  const { run, graph, model, weights } = useModel(studio);
  const epochs = useValue(() => studio.run.value?.epochs.value ?? []);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  const state = useValue(() => studio.run.value?.info.value.state ?? "");
  const before = useValue(() => sound.value[name] ?? null, [name]);
  const objects = useObjects(run, graph, range(Math.min(LOOKED_AT, run?.detail.value?.objects?.count ?? 0)));
  const ended = ENDED.includes(state);
  const trained = ended || epochs.length >= ENOUGH;
  const through = useMemo(() => (trained && objects?.length && model ? throughOf(model, objects) : null), [trained, objects, weights]);
  return {
    trained, ended, state, sound: before,
    ours: run ? errorOf(run) : null,
    first: epochs[0]?.valid ?? null,
    train: epochs.at(-1)?.train ?? null,
    mean: measure(baseline, "mean"),
    pca: measure(baseline, "pca"),
    denoised: through?.denoised ?? null,
    real: through?.real ?? null,
    scrambled: through?.scrambled ?? null,
  };
}

/**
 * Errors of objects as they are, with noise on them, and scrambled.
 * @param {import("narrows/nn/nn").Model} model @param {Float32Array[]} objects
 */
function throughOf(model, objects) {
  const { low, high } = model.graph;
  const out = (all) => all.map((x) => Float32Array.from(model.forward(x).y));
  const size = objects[0].length;
  const noise = gaussian(objects.length * size, 7);
  const noisy = objects.map((x, i) => x.map((value, d) => value + NOISE * (high - low) * noise[i * size + d]));
  const odd = objects.map(scrambled);
  return { real: error(out(objects), objects), denoised: error(out(noisy), objects), scrambled: error(out(odd), odd) };
}
