/** Who rebuilds each object better: every object of a sample through every model, a few at a time. */

import { effect, signal } from "@preact/signals-core";
import { onFrame } from "narrows/page/beat";
import { classColour } from "narrows/draw/draw";
import { html, useEffect, useMemo, useValue } from "narrows/page/html";
import { twinOf } from "narrows/dots/hovercard";
import { columnColour, columnCss, LETTERS } from "narrows/compare/marks";

const SAMPLE = 500;
const SLICE_MS = 4;
const REST_MS = 1500;

/** @typedef {import("narrows/state/run").Run} Run */

class Judge {
  /** @param {Run[]} runs */
  constructor(runs) {
    this.runs = runs;
    this.on = signal(false);
    /** Objects that each run rebuilds best, of how many; null until they were looked at. */
    this.counts = signal(/** @type {{best: number[], of: number} | null} */ (null));
    /** Colours for the maps. */
    this.dress = signal(/** @type {any} */ (null));
    this.turn = 0;
    this.timer = 0;
  }

  follow() {
    const stop = effect(() => {
      const ready = this.runs.every((run) => run.weights.value && run.points.value);
      if (this.on.value && ready) this.later();
      else if (!this.on.value) this.dress.value = null;
    });
    return () => (stop(), (this.turn += 1), clearTimeout(this.timer));
  }

  later() {
    if (this.timer || this.busy) return;
    this.timer = window.setTimeout(() => ((this.timer = 0), void this.look()), this.dress.peek() ? REST_MS : 0);
  }

  async look() {
    this.busy = true;
    const turn = (this.turn += 1);
    const count = Math.min(SAMPLE, ...this.runs.map((run) => run.points.peek().count));
    const all = this.runs[0].detail.peek()?.objects?.count ?? count;
    const none = this.runs.length;
    const kinds = new Uint8Array(all).fill(none);
    const best = new Array(none).fill(0);
    let began = performance.now();
    for (let i = 0; i < count; i += 1) {
      const values = await this.runs[0].object(i).catch(() => null);
      if (turn !== this.turn || !values) break;
      kinds[i] = leastOf(this.runs.map((run) => errorOf(run, values)));
      best[kinds[i]] += 1;
      if (performance.now() - began > SLICE_MS) began = await rested();
    }
    this.busy = false;
    if (turn !== this.turn || !this.on.peek()) return;
    const styles = this.runs.map((_, n) => ({ colour: columnColour(n), shape: "circle" }));
    this.dress.value = { kinds, styles: [...styles, { colour: classColour(-1), shape: "circle" }] };
    this.counts.value = { best, of: count };
  }
}

/** @param {Run} run @param {Float32Array} values */
function errorOf(run, values) {
  const twin = twinOf(run);
  if (!twin) return Infinity;
  const { y } = twin.forward(values);
  let sum = 0;
  for (let d = 0; d < y.length; d += 1) sum += (y[d] - values[d]) ** 2;
  return sum;
}

/** @param {number[]} errors */
const leastOf = (errors) => errors.indexOf(Math.min(...errors));

/** @returns {Promise<number>} */
const rested = () => new Promise((go) => onFrame(() => setTimeout(() => go(performance.now()), 0)));

/** @param {Run[]} runs */
export function useJudge(runs) {
  const judge = useMemo(() => new Judge(runs), [runs]);
  useEffect(() => (runs.length > 1 ? judge.follow() : undefined), [judge]);
  return judge;
}

/** How many objects each model rebuilds best: as a bar, and in numbers. @param {{best: number[], of: number}} given */
function Shares({ best, of }) {
  const part = (n, i) => html`<i key=${i} style=${{ flexGrow: n, background: columnCss(i) }}></i>`;
  const share = (n, i) => html`<span key=${i} class="share" style=${{ "--of": columnCss(i) }}><b>${LETTERS[i]}</b> ${n}</span>`;
  return html`<span class="bar" aria-hidden="true">${best.map(part)}</span>
    <span>${best.map(share)}<span class="quiet"> of ${of} objects</span></span>`;
}

/** @param {{judge: Judge, runs: Run[]}} given */
export function Verdict({ judge, runs }) {
  const on = useValue(judge.on);
  const counts = useValue(judge.counts);
  return html`<div class="verdict">
    <button type="button" class="toggle" aria-pressed=${on} onClick=${() => (judge.on.value = !on)}>Colour by who rebuilds it better</button>
    ${on && !counts && html`<span class="quiet" role="status">looking at each object …</span>`}
    ${on && counts && html`<${Shares} ...${counts} />`}
    ${!on && runs.length > 1 && html`<span class="quiet">Point at a dot: the same object lights up in every map.</span>`}
  </div>`;
}
