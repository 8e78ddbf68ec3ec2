/** How well it does, beside what needs no training, and what the reader is looking at in one sentence. */

import { NOUNS, short } from "narrows/page/controls";
import { html, useEffect, useMemo, useState, useValue } from "narrows/page/html";

/** @typedef {import("narrows/state/run").Run} Run */

/** Bottlenecks that add nothing to the loss. */
const FREE = ["plain", "sparse-topk", "fsq"];
const NEIGHBOURS = 400;
const EVERY_MS = 1500;

/** Whether a recipe's loss is the mean squared error alone. @param {any} recipe */
export function comparable(recipe) {
  const terms = Object.keys(recipe.objective);
  return terms.length === 1 && recipe.objective.mse === 1 && FREE.includes(recipe.bottleneck.kind);
}

/** A mean squared error, however it was told. @param {any} told */
export const mseOf = (told) => (typeof told === "number" ? told : (told?.mse ?? null));

/**
 * The newest mean squared error on validation objects; null where only another loss is known.
 * @param {any[]} judged @param {any} recipe
 */
export function validMse(judged, recipe) {
  const last = judged.at(-1);
  return last?.mse ?? (last && comparable(recipe) ? last.valid : null);
}

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/** A small count as a word. @param {number} count */
const inWords = (count) => WORDS[count] ?? count.toLocaleString("en");

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** @param {number} count */
const numbersText = (count) => `${count.toLocaleString("en")} ${count === 1 ? "number" : "numbers"}`;

/** Numbers that pass the waist. @param {{code: {size: number, grid: number[]}}} graph */
export const passing = ({ code }) => code.grid.reduce((a, b) => a * b, code.size);

/** What is known of a run's errors, redrawn as it changes. @param {import("narrows/state/studio").Studio} studio */
function useErrors(studio) {
  const detail = useValue(() => studio.run.value?.detail.value ?? null);
  const graph = useValue(() => studio.run.value?.graph.value ?? null);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  const judged = useValue(() => studio.run.value?.epochs.value ?? null);
  if (!detail || !graph) return null;
  return { detail, graph, baseline, ours: validMse(judged ?? [], detail.recipe), pca: mseOf(baseline?.pca), mean: mseOf(baseline?.mean) };
}

/** @param {{studio: import("narrows/state/studio").Studio}} given */
export function Measures({ studio }) {
  const errors = useErrors(studio);
  if (!errors) return null;
  const { graph, baseline, ours, pca, mean } = errors;
  const one = (NOUNS[graph.kind] ?? ["object"])[0];
  const rows = [
    { name: `this autoencoder, ${numbersText(passing(graph))}`, value: ours, kind: ours !== null && pca !== null && ours < pca ? "good" : "own" },
    { name: `PCA, ${numbersText(baseline?.pca?.size ?? passing(graph))}`, value: pca, kind: "" },
    { name: `always the mean ${one}`, value: mean, kind: "" },
  ];
  return html`<table class="measures"><caption>mean squared error on validation ${(NOUNS[graph.kind] ?? ["", "objects"])[1]}</caption><tbody>
    ${rows.map(({ name, value, kind }) => html`<tr class=${kind}><th scope="row">${name}</th><td
      class="number ${kind}">${short(value)}</td></tr>`)}
  </tbody></table>`;
}

/**
 * One sentence that says what the reader is looking at, made of the run's own numbers.
 * @param {{studio: import("narrows/state/studio").Studio}} given
 */
export function Sentence({ studio }) {
  const errors = useErrors(studio);
  const kept = useKept(studio);
  const flat = useValue(() => studio.run.value?.points.value?.projection !== "code");
  const told = [errors?.ours, errors?.pca, errors?.graph, kept, flat];
  const sentence = useMemo(() => errors && describe({ ...errors, kept, flat, running: studio.running.value }), told);
  if (!sentence) return null;
  return html`<p class="note sentence">${sentence.map((part) => (typeof part === "string" ? part : html`<b>${part.strong}</b>`))}</p>`;
}

/**
 * @param {{graph: any, baseline: any, ours: number | null, pca: number | null, mean: number | null, kept: number | null, flat: boolean,
 *   running: boolean}} known `flat`: the map shows less than the whole code.
 * @returns {(string | {strong: string})[] | null}
 */
export function describe({ graph, baseline, ours, pca, mean, kept, flat, running }) {
  const size = passing(graph);
  const many = (NOUNS[graph.kind] ?? ["object", "objects"])[1];
  const head = `${capital(inWords(size))} ${size === 1 ? "number stands" : "numbers stand"} for ${graph.values.toLocaleString("en")}. `;
  if (ours === null || !mean) return [head, `The network is learning to bring the ${many} back through ${size === 1 ? "it" : "them"}.`];
  const share = (error) => Math.round(100 * Math.max(0, 1 - error / mean));
  if (ours >= mean) return [head, ...notYet(graph, running)];
  const parts = [head, size === 1 ? "It keeps " : "They keep ", { strong: `${share(ours)}% of what tells the ${many} apart` }];
  const verdict = running ? ", so far" : ": here a straight projection is the better choice";
  if (pca !== null) parts.push(ours < pca ? `; PCA keeps ${share(pca)}%` : `; PCA keeps more, ${share(pca)}%${verdict}`);
  parts.push(". ");
  if (kept !== null && graph.classes.length > 1) parts.push(flat ? "On the map the nearest dot is " : "The nearest code is ", { strong: "of the same class" }, ` for ${kept} of 100. `);
  const next = (baseline?.curve ?? []).find((point) => point.size >= 4 * size && point.size < graph.values);
  if (next && pca !== null && mseOf(next) < 0.8 * pca) parts.push(`Ask for ${next.size}: PCA alone would keep ${share(mseOf(next))}%.`);
  return parts;
}

/** @param {any} graph @param {boolean} running */
function notYet({ kind }, running) {
  const one = (NOUNS[kind] ?? ["object"])[0];
  return ["So far the output is ", { strong: `no better than the mean ${one}` }, running ? "; let it learn on." : ". Try a lower learning rate."];
}

/**
 * Of 100 objects, how many have a nearest code of their own class; counted now and then.
 * @param {import("narrows/state/studio").Studio} studio
 */
function useKept(studio) {
  const [kept, setKept] = useState(/** @type {number | null} */ (null));
  useEffect(() => {
    const look = () => {
      const run = studio.run.peek();
      setKept(run ? nearestOfClass(run.points.peek(), run.labels.peek()) : null);
    };
    look();
    const clock = setInterval(look, EVERY_MS);
    return () => clearInterval(clock);
  }, []);
  return kept;
}

/**
 * Of 100 objects, how many have a neighbour of their own class; leave-one-out over the first places of the plane.
 * @param {import("narrows/state/run").Points | null} points @param {Int16Array | null} labels
 */
export function nearestOfClass(points, labels) {
  if (!points || !labels || points.projection === "tsne") return null;
  const known = Array.from(labels.keys()).filter((i) => i < points.count && labels[i] >= 0).slice(0, NEIGHBOURS);
  if (known.length < 50) return null;
  const same = known.filter((i) => labels[nearest(points.xy, known, i)] === labels[i]);
  return Math.round((100 * same.length) / known.length);
}

/** @param {Float32Array} xy @param {number[]} among @param {number} i */
function nearest(xy, among, i) {
  let [best, least] = [i, Infinity];
  for (const j of among) {
    const far = (xy[2 * i] - xy[2 * j]) ** 2 + (xy[2 * i + 1] - xy[2 * j + 1]) ** 2;
    if (j !== i && far < least) [best, least] = [j, far];
  }
  return best;
}
