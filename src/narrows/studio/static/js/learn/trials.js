/** Choices the tour lets one train one after the other, and what each of them came to. */

import { signal } from "@preact/signals-core";
import { Segments, short } from "narrows/page/controls";
import { measure } from "narrows/learn/figures";
import { html, useEffect, useValue } from "narrows/page/html";

/** @typedef {import("narrows/learn/chapters").Stage} Stage */

/** Code size -> what it came to so far, and after how many epochs, for as long as the page is open. */
const tried = signal(/** @type {Record<number, {valid: number, epochs: number, pca: number | null}>} */ ({}));
const SIZES = [1, 2, 4, 8, 16, 32];

/** Sizes of the code, and the error of each that was tried. @param {{stage: Stage}} given */
export function Sizes({ stage }) {
  const { studio } = stage;
  const size = useValue(() => studio.run.value?.graph.value?.code.size ?? null);
  const epochs = useValue(() => studio.run.value?.epochs.value ?? null);
  const baseline = useValue(() => studio.run.value?.baseline.value ?? null);
  const seen = useValue(tried);
  useEffect(() => {
    const last = epochs?.at(-1);
    if (!size || last?.valid == null) return;
    tried.value = { ...tried.value, [size]: { valid: last.valid, epochs: last.epoch, pca: measure(baseline, "pca") } };
  }, [size, epochs, baseline]);
  const choose = (value) => {
    stage.mark(`size ${value}`);
    stage.train({ bottleneck: { kind: "plain", size: value } });
  };
  const choices = SIZES.map((value) => ({ value, label: String(value) }));
  return html`<div class="sizes">
    <${Segments} label="Numbers in the code" choices=${choices} value=${size} onChange=${choose} />
    <table class="scores"><caption>Error by size of the code</caption>
      <thead><tr><th scope="col">numbers</th><th scope="col">autoencoder</th><th scope="col">PCA</th><th scope="col">epochs</th></tr></thead>
      <tbody>${Object.entries(seen).map(
        ([numbers, { valid, epochs: passes, pca }]) => html`<tr class=${Number(numbers) === size ? "now" : ""}>
          <th scope="row">${numbers}</th><td class="number ${pca !== null && valid < pca ? "good" : ""}">${short(valid)}</td><td>${short(pca)}</td><td>${passes}</td></tr>`,
      )}</tbody>
    </table>
  </div>`;
}

/**
 * A few settings to choose from, each with what it does.
 * @param {{stage: Stage, label: string, prefix: string, base?: any,
 *   choices: {name: string, settings: any, says: string}[]}} given
 */
export function Choose({ stage, label, prefix, choices, base = {} }) {
  const recipe = useValue(() => stage.studio.run.value?.detail.value?.recipe ?? null);
  const chosen = choices.find(({ settings }) => Object.entries(settings).every(([part, { kind }]) => recipe?.[part].kind === kind));
  const choose = (name) => {
    stage.mark(prefix + name);
    stage.train({ ...base, ...choices.find((choice) => choice.name === name)?.settings });
  };
  return html`<div class="choose">
    <${Segments} label=${label} choices=${choices.map(({ name }) => ({ value: name, label: name }))} value=${chosen?.name} onChange=${choose} />
    <p>${chosen?.says ?? "Choose one: it is trained at once."}</p>
  </div>`;
}
