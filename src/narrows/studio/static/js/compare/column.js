/** One configuration: its knobs, its network in outline, how well it does, its map, and the object under the pointer. */

import { Menu, Segments, Slider, short } from "narrows/page/controls";
import { html, useCallback, useValue } from "narrows/page/html";
import { useObject } from "narrows/dots/hovercard";
import { Picture } from "narrows/draw/picture";
import { Scatter } from "narrows/dots/scatter";
import { turned, turnTo } from "narrows/compare/align";
import { columnCss, errorOf, LETTERS } from "narrows/compare/marks";
import { Outline } from "narrows/compare/outline";
import { BOTTLENECKS, networksFor, plan, SIZES, titleOf } from "narrows/compare/plan";

/**
 * @param {{n: number, studio: any, column: import("narrows/compare/plan").Column, run: import("narrows/state/run").Run | null,
 *   runs: import("narrows/state/run").Run[], dress: any, alone: boolean}} given
 */
export function Column({ n, studio, column, run, runs, dress, alone }) {
  const preview = useValue(() => plan.previews.value[n] ?? null, [n]);
  const kind = useValue(() => plan.kindOf(studio));
  useValue(studio.dark);
  const first = runs[0] ?? null;
  const turn = useCallback((xy) => (run && run !== first && first.points.peek() ? turned(xy, turnTo(xy, first.points.peek().xy)) : xy), [run, first]);
  const graph = preview?.graph ?? null;
  return html`<section class="one-run" aria-label=${`Configuration ${LETTERS[n]}`} style=${{ "--of": columnCss(n) }}>
    <div class="heading"><h3><span class="letter">${LETTERS[n]}</span> ${titleOf(column)}</h3>
      <button type="button" class="plain" disabled=${alone} aria-label=${`Remove configuration ${LETTERS[n]}`} onClick=${() => plan.remove(n)}>×</button></div>
    <div class="knobs">
      <${Segments} label="Network" choices=${networksFor(kind)} value=${column.network} onChange=${(network) => plan.change(n, { network })} />
      <${Menu} label="Bottleneck" choices=${BOTTLENECKS} value=${column.bottleneck} onChange=${(bottleneck) => plan.change(n, { bottleneck })} />
      <${Slider} label="Numbers in the code" kind="code" stops=${SIZES} value=${column.size} show=${numbers} onInput=${(size) => plan.change(n, { size })} />
    </div>
    <div class="summary">${preview?.why ? html`<p class="why" role="alert">${preview.why}</p>` : html`<${Outline} graph=${graph} />`}
      ${run && html`<${Score} run=${run} runs=${runs} />`}</div>
    ${run && html`<${Pair} studio=${studio} run=${run} runs=${runs} />`}
    ${run && html`<${Scatter} studio=${studio} run=${run} linked dress=${dress} pictures=${false} names=${!dress} turn=${turn} />`}
  </section>`;
}

/** @param {number} size */
const numbers = (size) => (size === 1 ? "1 number" : `${size} numbers`);

/** The error on the validation objects beside PCA's, the best of all in green. */
function Score({ run, runs }) {
  const valid = useValue(() => errorOf(run), [run]);
  const best = useValue(() => Math.min(...runs.map((one) => errorOf(one) ?? Infinity)), [runs]);
  const pca = useValue(() => run.baseline.value?.pca?.mse ?? null, [run]);
  const { state, epoch, epochs, why } = useValue(run.info);
  return html`<dl class="score">
    <div><dt>error</dt><dd class=${`number ${valid !== null && valid === best ? "good" : ""}`}>${short(valid)}</dd></div>
    <div><dt>PCA</dt><dd>${short(pca)}</dd></div>
    <div><dt>${STATES[state] ?? state}</dt><dd title=${why ?? ""}>${epoch ? `${epoch} of ${epochs}` : ""}</dd></div>
  </dl>`;
}

/** @type {Record<string, string>} */
const STATES = { running: "epoch", done: "trained", paused: "paused at", stopped: "stopped at", starting: "starting", waiting: "waiting", diverged: "diverged", failed: "failed" };

/** The hovered or chosen object and what this configuration makes of it. */
function Pair({ studio, run, runs }) {
  const index = useValue(() => studio.hovered.value ?? studio.object.value ?? 0);
  const graph = useValue(run.graph);
  const dark = useValue(studio.dark);
  const known = useObject(run, index);
  const others = runs.map((one) => useObject(one, index)?.error ?? Infinity);
  if (!known || !graph) return html`<div class="duo"></div>`;
  const best = known.error <= Math.min(...others);
  return html`<div class="duo"><${Picture} look=${graph} values=${known.values} dark=${dark} label="object" />
    ${known.output && html`<${Picture} look=${graph} values=${known.output} dark=${dark} label="rebuilt" />`}
    <p><span class="quiet">object ${index.toLocaleString("en")}</span><br /><span class=${`number ${best ? "good" : ""}`}>${short(known.error)}</span></p></div>`;
}
