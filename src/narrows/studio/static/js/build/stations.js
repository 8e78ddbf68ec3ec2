/** The recipe as a line of stations, from the data to the training: every choice is a setting of the recipe. */

import { Menu, short } from "narrows/page/controls";
import { DataStation } from "narrows/build/datastation";
import { decades, doublings, Fields, fieldsOf, Knob, meant } from "narrows/build/form";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { Sentence } from "narrows/build/measure";
import { BottleneckStation, CorruptionStation, DecoderStation, EncoderStation } from "narrows/build/parts";
import { Station } from "narrows/build/station";

/** @typedef {import("narrows/state/studio").Studio} Studio */

/** @param {{studio: Studio}} given */
export function Stations({ studio }) {
  const recipe = useValue(studio.recipe);
  const preview = useValue(studio.preview);
  const schema = useValue(() => studio.choices.value?.schema ?? null);
  const known = useValue(() => studio.run.value?.detail.value ?? null);
  if (!recipe?.network || !schema) return html`<div class="stations"><p class="quiet">The recipe is being read.</p></div>`;
  const [graph, layout] = [preview?.graph ?? known?.graph, preview?.layout ?? known?.layout];
  const given = { studio, schema, recipe: completed(recipe, preview), graph, layout };
  return html`<div class="stations" role="form" aria-label="The recipe">
    ${STATIONS.map((One, i) => html`<${One} key=${i} ...${given} />`)}
    <${Said} studio=${studio} />
    <${Sentence} studio=${studio} />
  </div>`;
}

/**
 * A recipe from a link says only what is not usual: the rest is what the server made of it.
 * @param {any} recipe
 * @param {any} preview
 */
function completed(recipe, preview) {
  const whole = preview?.recipe ?? {};
  const parts = ["data", "corruption", "network", "bottleneck", "training", "objective"];
  const other = (part) => part === "objective" || (recipe[part]?.kind && recipe[part].kind !== whole[part]?.kind);
  const filled = parts.map((part) => [part, other(part) ? (recipe[part] ?? whole[part] ?? {}) : { ...whole[part], ...recipe[part] }]);
  return { ...whole, ...recipe, ...Object.fromEntries(filled) };
}

/** The error terms in words; several may be weighed together. */
const OBJECTIVES = {
  mse: "mean squared error",
  l1: "mean absolute error",
  huber: "Huber: squared when small, absolute when large",
  bce: "cross-entropy",
  ssim: "structural dissimilarity (SSIM)",
};
const PICTURES_ONLY = ["ssim"];

/** @param {{studio: Studio, recipe: any, layout: any}} given */
function ObjectiveStation({ studio, recipe, layout }) {
  const terms = Object.entries(recipe.objective ?? {}).filter(([, weight]) => weight > 0);
  const title = terms.map(([name]) => (OBJECTIVES[name] ?? name).split(":")[0]).join(" + ");
  const free = Object.keys(OBJECTIVES).filter((name) => !(name in recipe.objective) && (layout?.kind === "image" || !PICTURES_ONLY.includes(name)));
  const set = (changed) => studio.change("objective", Object.fromEntries(Object.entries(changed).filter(([, weight]) => weight > 0)));
  const replace = (old, name) => set(Object.fromEntries(terms.map(([term, weight]) => [term === old ? name : term, weight])));
  return html`<${Station} title="Objective" aside=${title} folded>
    ${terms.map(([name, weight]) => html`<div class="term" key=${name}>
      <${Menu} label="Error term" value=${name}
        choices=${[name, ...free].map((value) => ({ value, label: OBJECTIVES[value] ?? value }))}
        onChange=${(value) => replace(name, value)} />
      ${terms.length > 1 && html`<${Knob} label="weight" value=${weight} stops=${decades(0.01, 10)}
        onInput=${(value) => set({ ...recipe.objective, [name]: value })} />
        <button type="button" class="plain" aria-label="Leave out ${OBJECTIVES[name]}"
          onClick=${() => set({ ...recipe.objective, [name]: 0 })}>×</button>`}
    </div>`)}
    ${free.length > 0 && html`<button type="button" class="chip add"
      onClick=${() => set({ ...recipe.objective, [free[0]]: 0.5 })}>+ another term</button>`}
  <//>`;
}

const KNOBS = ["rate", "batch", "epochs"];

/** @param {{studio: Studio, schema: any, recipe: any}} given */
function TrainingStation({ studio, schema, recipe }) {
  const { rate, batch, epochs } = recipe.training;
  const set = (name) => (value) => studio.change(`training.${name}`, value);
  const fields = fieldsOf(schema, meant(schema, schema.properties.training), [...KNOBS, "device", "threads"]);
  return html`<${Station} title="Training" aside="Adam · ${short(rate)} · ${batch}" folded>
    <${Knob} label="learning rate" value=${rate} stops=${decades(1e-5, 1)} show=${(value) => String(value)} onInput=${set("rate")} />
    <${Knob} label="objects a step" value=${batch} stops=${doublings(4, 2048)} onInput=${set("batch")} />
    <${Knob} label="epochs" value=${epochs} stops=${[1, 2, 5, 10, 20, 50, 100, 150, 200, 500, 1000]} onInput=${set("epochs")} />
    <details class="more"><summary>more</summary><${Fields} fields=${fields} values=${recipe.training}
      onChange=${(name, value) => studio.change(`training.${name}`, value)} />
      <${Fields} fields=${fieldsOf(schema, { properties: { seed: schema.properties.seed } })} values=${recipe}
        onChange=${studio.change} /></details>
  <//>`;
}

const STATIONS = [DataStation, CorruptionStation, EncoderStation, BottleneckStation, DecoderStation, ObjectiveStation, TrainingStation];

const SHOWN_MS = 6000;

/** What a change did to the training, for a moment. @param {{studio: Studio}} given */
function Said({ studio }) {
  const said = useValue(studio.retrained);
  const [shown, setShown] = useState("");
  useEffect(() => {
    if (!said) return undefined;
    setShown(said.sentence);
    const timer = setTimeout(() => setShown(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return html`<p class="said" role="status" hidden=${!shown}>${shown}</p>`;
}
