/** Two to four configurations, trained side by side on the same batches from the same seed. */

import { effect } from "@preact/signals-core";
import { Segments } from "narrows/page/controls";
import { html, useEffect, useValue } from "narrows/page/html";
import { CurveChart, SizeChart } from "narrows/compare/charts";
import { Column } from "narrows/compare/column";
import { Offer } from "narrows/compare/offer";
import { MOST, plan, PRESETS } from "narrows/compare/plan";
import { Twelve } from "narrows/compare/twelve";
import { useJudge, Verdict } from "narrows/compare/judge";

/** @param {{studio: any}} given */
export function View({ studio }) {
  const base = useValue(() => plan.baseOf(studio));
  useEffect(() => effect(() => plan.begin(studio)), [studio]);
  const columns = useValue(plan.columns);
  if (!base || !columns.length) return html`<p class="empty">The recipe is being read.</p>`;
  return html`<${Comparison} studio=${studio} base=${base} columns=${columns} />`;
}

const SAME = "The same objects in the same order, from the same seed: what differs is the configuration.";
const CHOOSE = "Choose what to set side by side, then train: all see the same batches from the same seed.";

/** @param {{studio: any, base: any, columns: import("narrows/compare/plan").Column[]}} given */
function Comparison({ studio, base, columns }) {
  const watched = useValue(studio.watched);
  const runs = watched.length > 1 ? watched : [];
  const judge = useJudge(runs);
  const worn = useValue(judge.dress);
  return html`<div class="compare-view" style=${{ "--columns": columns.length }}>
    <${Head} studio=${studio} base=${base} columns=${columns} runs=${runs} />
    <div class="columns-of-runs">
      ${columns.map((column, n) => html`
        <${Column} key=${n} n=${n} studio=${studio} column=${column} run=${runs[n] ?? null} runs=${runs} dress=${worn} alone=${columns.length <= 2} />`)}
    </div>
    ${runs.length < 2 && html`<${Offer} studio=${studio} />`}
    ${runs.length > 1 && html`<${Verdict} judge=${judge} runs=${runs} />`}
    ${runs.length > 1 && html`<div class="charts"><${CurveChart} studio=${studio} runs=${runs} /><${SizeChart} studio=${studio} runs=${runs} /></div>`}
    ${runs.length > 1 && html`<${Twelve} studio=${studio} runs=${runs} />`}
  </div>`;
}

function Head({ studio, base, columns, runs }) {
  const ready = useValue(() => plan.ready());
  const changed = useValue(() => plan.changed(studio));
  const trained = runs.length > 0 && !changed;
  return html`<header class="compare-head">
    <h2>Side by side on ${base.data.name}</h2>
    <${Segments} label="What to compare" choices=${PRESETS.map(({ name, title }) => ({ value: name, label: name, title }))} value=${null}
      onChange=${(name) => plan.preset(studio, name)} />
    <button type="button" disabled=${columns.length >= MOST} onClick=${() => plan.add()}>Add a column</button>
    <button type="button" class=${trained ? "" : "main"} disabled=${!ready} onClick=${() => plan.train(studio)}>${trained ? "Train again" : "Train side by side"}</button>
    <p class="quiet">${trained ? SAME : CHOOSE}</p>
  </header>`;
}
