/** The stations of the network: corruption, encoder, bottleneck and decoder, each a choice and its knobs. */

import { api } from "narrows/state/api";
import { countText } from "narrows/build/columns";
import { Menu, Segments, short, Slider } from "narrows/page/controls";
import { doublings, Fields, fieldsOf, kindsOf, Knob, meant, wordsOf } from "narrows/build/form";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { canAdd, canRemove, listed, withLayer, withoutLayer, withWidth } from "narrows/build/layers";
import { Picture } from "narrows/draw/picture";
import { unhalved } from "narrows/state/half";
import { passing } from "narrows/build/measure";
import { Station } from "narrows/build/station";

/**
 * @typedef {import("narrows/state/studio").Studio} Studio
 * @typedef {{studio: Studio, schema: any, recipe: any, graph: any, layout: any}} Given
 */

/** How the kinds are called here; a kind that is not listed goes by its own name. */
const CORRUPTIONS = {
  none: "none", gaussian: "noise", "salt-pepper": "specks", "mask-pixels": "holes", "mask-patches": "patches", "mask-spans": "gaps",
};
/** The knob of each corruption: a setting and its largest value here. */
const LEVELS = {
  gaussian: ["sigma", 1],
  "salt-pepper": ["share", 0.6],
  "mask-pixels": ["ratio", 0.9],
  "mask-patches": ["ratio", 0.9],
  "mask-spans": ["ratio", 0.9],
};
const PICTURES_ONLY = ["mask-patches"];
const LINES_ONLY = ["mask-spans"];
const PREVIEWED = 4;
const QUIET_MS = 90;

/** @param {Given} given */
export function CorruptionStation({ studio, schema, recipe, graph, layout }) {
  const kinds = ordered(kindsOf(schema, "corruption"), CORRUPTIONS).filter((kind) => suits(kind, layout?.kind));
  const { kind } = recipe.corruption;
  const [setting, most] = LEVELS[kind] ?? [];
  const stops = Array.from({ length: 20 }, (_, i) => Math.round(((i + 1) * (most ?? 1) * 1000) / 20) / 1000);
  const level = setting ? (recipe.corruption[setting] ?? defaultOf(schema, "corruption", kind, setting)) : null;
  const choose = (value) => studio.change("corruption", { kind: value, ...extras(value, layout) });
  const others = fieldsOf(schema, kindsOf(schema, "corruption")[kind], [setting]);
  return html`<${Station} title="Corruption" aside=${setting ? `${CORRUPTIONS[kind] ?? kind} ${short(level)}` : "none"}>
    <${Segments} label="Corruption" kind="tight" value=${kind} onChange=${choose}
      choices=${kinds.map((one) => ({ value: one, label: CORRUPTIONS[one] ?? one, title: wordsOf(kindsOf(schema, "corruption")[one]) }))} />
    ${setting && html`<${Corrupted} recipe=${recipe} graph=${graph} studio=${studio} />
      <${Slider} label="How much" stops=${stops} value=${level} show=${short}
        onInput=${(value) => studio.change(`corruption.${setting}`, value)} />
      ${others.length > 0 && html`<details class="more"><summary>more</summary><${Fields} fields=${others}
        values=${recipe.corruption} onChange=${(name, value) => studio.change(`corruption.${name}`, value)} /></details>`}`}
  <//>`;
}

/**
 * Kinds in the order of a table of names, those it does not know last.
 * @param {Record<string, any>} kinds
 * @param {Record<string, string>} names
 */
function ordered(kinds, names) {
  const known = Object.keys(names).filter((kind) => kind in kinds);
  return [...known, ...Object.keys(kinds).filter((kind) => !(kind in names))];
}

/** @param {string} kind @param {string | undefined} objects */
function suits(kind, objects) {
  if (PICTURES_ONLY.includes(kind)) return objects === "image";
  return !LINES_ONLY.includes(kind) || objects !== "image";
}

/**
 * Settings that must fit the objects: the side of a patch divides the picture, a gap is shorter than the series.
 * @param {string} kind
 * @param {any} layout
 */
function extras(kind, layout) {
  const shape = layout?.shape ?? [];
  const side = Math.min(...shape.slice(-2));
  const divides = (one) => one < side && shape.slice(-2).every((size) => size % one === 0);
  if (kind === "mask-patches") return { side: [4, 7, 2, 3, 5].find(divides) ?? 1 };
  if (kind === "mask-spans") return { length: Math.max(1, Math.min(8, Math.floor((shape.at(-1) ?? 8) / 4))) };
  return {};
}

/** @param {any} schema @param {string} part @param {string} kind @param {string} setting */
const defaultOf = (schema, part, kind, setting) => kindsOf(schema, part)[kind]?.properties?.[setting]?.default;

/** Some objects as the encoder is shown them, at once. @param {{studio: Studio, recipe: any, graph: any}} given */
function Corrupted({ studio, recipe, graph }) {
  const [shown, setShown] = useState(/** @type {{objects: Float32Array[], graph: any} | null} */ (null));
  const dark = useValue(studio.dark);
  const previewed = useValue(studio.preview);
  const key = JSON.stringify([recipe.corruption, recipe.data]);
  useEffect(() => {
    let wanted = true;
    const ask = async () => {
      const count = Math.min(PREVIEWED, previewed?.sample?.ids?.length ?? 0);
      if (!count) return;
      const objects = Array.from({ length: count }, (_, i) => i);
      const bytes = await api.postForBytes("corrupt", { recipe, objects, seed: recipe.seed ?? 0 }).catch(() => null);
      if (!wanted || !bytes) return;
      const values = unhalved(new Uint16Array(bytes));
      const each = values.length / count;
      setShown({ graph, objects: objects.map((i) => values.subarray(i * each, (i + 1) * each)) });
    };
    const timer = setTimeout(ask, QUIET_MS);
    return () => (clearTimeout(timer), (wanted = false));
  }, [key, previewed]);
  if (!shown || shown.objects[0].length !== shown.graph?.values) return html`<div class="thumbs four empty-thumbs"></div>`;
  return html`<div class="thumbs four">${shown.objects.map((values, i) => html`<${Picture} key=${i} look=${shown.graph}
    values=${values} dark=${dark} label="object ${i + 1}, corrupted" />`)}</div>`;
}

const NETWORKS = { dense: "dense", conv: "conv", lstm: "LSTM", unet: "U-Net" };
/** Networks that need places beside each other. */
const NEEDS_PLACES = ["conv", "lstm", "unet"];

/** @param {Given} given */
export function EncoderStation({ studio, schema, recipe, graph, layout }) {
  const kinds = kindsOf(schema, "network");
  const { kind } = recipe.network;
  const choose = async (value) => {
    const answer = await studio.attempt(() => api.post("preview", { data: recipe.data.name, network: value, bottleneck: recipe.bottleneck.kind }));
    if (answer) studio.edit({ ...studio.recipe.value, network: answer.recipe.network });
  };
  const weights = graph ? `${countText(sumOf(graph, "encoder"))} weights` : "";
  const fields = fieldsOf(schema, kinds[kind], ["hidden", "layers", "chunk"]);
  const flat = (layout?.shape?.length ?? 3) < 2 && layout?.kind === "table";
  const choices = ordered(kinds, NETWORKS).map((one) => ({
    value: one, label: NETWORKS[one] ?? one, title: wordsOf(kinds[one]), off: flat && NEEDS_PLACES.includes(one),
  }));
  return html`<${Station} title="Encoder" kind="encoder" aside=${weights}>
    <${Segments} label="Kind of network" value=${kind} choices=${choices} onChange=${choose} />
    ${kind === "lstm" ? html`<${Memory} studio=${studio} schema=${schema} recipe=${recipe} />` : html`<${Chips} studio=${studio} recipe=${recipe} graph=${graph} />`}
    ${fields.length > 0 && html`<details class="more"><summary>more</summary><${Fields} fields=${fields} values=${recipe.network}
      onChange=${(name, value) => studio.change(`network.${name}`, value)} /></details>`}
  <//>`;
}

/** @param {any} graph @param {string} part */
const sumOf = (graph, part) => graph.layers.filter((layer) => layer.part === part).reduce((sum, { parameters }) => sum + parameters, 0);

/**
 * The layers as chips: one is opened to be made wider, narrower or to be taken away.
 * @param {{studio: Studio, recipe: any, graph: any}} given
 */
function Chips({ studio, recipe, graph }) {
  const layers = listed(recipe) ?? [];
  const [open, setOpen] = useState(-1);
  const noun = NETWORKS[recipe.network.kind] === "dense" ? "dense" : "conv";
  const edit = (changed) => studio.edit(changed);
  return html`<div class="chips">
      ${layers.map((width, i) => html`<button type="button" class="chip" key=${i} aria-expanded=${open === i}
        onClick=${() => setOpen(open === i ? -1 : i)}>${noun} ${width}</button>`)}
      <button type="button" class="chip add" aria-label="Add a layer" title="Add a layer next to the bottleneck" disabled=${!canAdd(recipe)}
        onClick=${() => edit(withLayer(recipe, layers.length, graph?.values ?? 64))}>+</button>
    </div>
    ${open >= 0 && open < layers.length && html`<div class="chip-open">
      <${Knob} label=${noun === "dense" ? "units" : "maps"} kind="encoder" value=${layers[open]}
        stops=${doublings(1, noun === "dense" ? 2048 : 512)} onInput=${(width) => edit(withWidth(recipe, open, width))} />
      <button type="button" disabled=${!canRemove(recipe)} onClick=${() => (setOpen(-1), edit(withoutLayer(recipe, open)))}>Remove</button>
    </div>`}`;
}

/** @param {{studio: Studio, schema: any, recipe: any}} given */
function Memory({ studio, schema, recipe }) {
  const { properties } = kindsOf(schema, "network").lstm;
  const set = (name) => (value) => studio.change(`network.${name}`, value);
  const most = meant(schema, properties.layers).maximum;
  return html`<${Knob} label="units of memory, each way" kind="encoder" value=${recipe.network.hidden} stops=${doublings(2, 512)}
    onInput=${set("hidden")} />
    <${Knob} label="layers" kind="encoder" value=${recipe.network.layers ?? 1}
      stops=${Array.from({ length: most }, (_, i) => i + 1)} onInput=${set("layers")} />
    <${Knob} label="samples a step" kind="encoder" value=${recipe.network.chunk ?? 1} stops=${doublings(1, 64)} onInput=${set("chunk")} />`;
}

/** Families of bottlenecks; a kind that is in none stands for itself. */
const FAMILIES = {
  plain: ["plain"],
  smooth: ["contractive"],
  sparse: ["sparse-topk", "sparse-l1", "sparse-kl"],
  variational: ["variational"],
  quantised: ["vq", "fsq"],
};
const FAMILY_NAMES = { variational: "VAE", quantised: "VQ" };
const FAMILY_TITLES = {
  plain: "The numbers as they come",
  smooth: "Small changes of the input change the code little (contractive)",
  sparse: "Many numbers, nearly all of them zero",
  variational: "Each object is a cloud of codes (variational)",
  quantised: "Only some values are allowed, so that a code is a few whole numbers",
};
const BOTTLENECKS = { "sparse-topk": "top k", "sparse-l1": "L1", "sparse-kl": "KL", vq: "codebook (VQ)", fsq: "rounded (FSQ)" };
/** Sparse codes may be this many times wider than the object; a slider stops earlier. */
const WIDEST = 1024;

/** @param {Given} given */
export function BottleneckStation({ studio, schema, recipe, graph, layout }) {
  const kinds = kindsOf(schema, "bottleneck");
  const { kind, size } = recipe.bottleneck;
  const families = familiesOf(Object.keys(kinds));
  const family = Object.keys(families).find((name) => families[name].includes(kind)) ?? kind;
  const choose = (value) => studio.change("bottleneck", fitted(value, size));
  const most = Math.max(1, Math.min(WIDEST, layout ? valuesOf(layout) : 64, kind === "vq" ? 512 : WIDEST));
  const stops = doublings(1, most).filter((stop) => kind !== "vq" || stop % (recipe.bottleneck.group ?? 1) === 0);
  const resize = (value) => studio.change("bottleneck", { ...recipe.bottleneck, ...fitted(kind, value, recipe.bottleneck) });
  const fields = fieldsOf(schema, kinds[kind], ["size"]);
  const aside = graph ? `${graph.values.toLocaleString("en")} → ${passing(graph).toLocaleString("en")}` : "";
  return html`<${Station} title="Bottleneck" kind="code" aside=${aside}>
    <${Segments} label="Kind of bottleneck" kind="tight" value=${family} onChange=${(name) => choose(families[name][0])}
      choices=${Object.keys(families).map((name) => ({ value: name, label: FAMILY_NAMES[name] ?? name, title: FAMILY_TITLES[name] }))} />
    ${families[family]?.length > 1 && html`<${Menu} label="Which ${family} bottleneck" value=${kind}
      choices=${families[family].map((one) => ({ value: one, label: BOTTLENECKS[one] ?? one }))} onChange=${choose} />`}
    <${Slider} label="Numbers in the code" kind="code" stops=${stops} value=${size}
      show=${(value) => sizeText(value, graph?.code.grid ?? [])} onInput=${resize} />
    <p class="says">${wordsOf(kinds[kind])}</p>
    ${fields.length > 0 && html`<details class="more"><summary>more</summary><${Fields} fields=${fields} values=${recipe.bottleneck}
      onChange=${(name, value) => studio.change(`bottleneck.${name}`, value)} /></details>`}
  <//>`;
}

/** The size of a code; one that stands at every place of a grid says so. @param {number} size @param {number[]} grid */
export function sizeText(size, grid) {
  if (grid.length) return `${size} × ${grid.join(" × ")}`;
  return size === 1 ? "1 number" : `${size} numbers`;
}

/** @param {string[]} kinds @returns {Record<string, string[]>} */
function familiesOf(kinds) {
  const known = Object.entries(FAMILIES).map(([name, members]) => [name, members.filter((kind) => kinds.includes(kind))]);
  const others = kinds.filter((kind) => !Object.values(FAMILIES).flat().includes(kind)).map((kind) => [kind, [kind]]);
  return Object.fromEntries([...known, ...others].filter(([, members]) => members.length));
}

/** Settings of a bottleneck that must fit its size. @param {string} kind @param {number} size @param {any} [old] */
function fitted(kind, size, old = {}) {
  if (kind === "sparse-topk") return { kind, size, k: shareOf(size, old) };
  if (kind === "vq") return { kind, size, group: [4, 3, 2, 1].find((group) => size % group === 0) };
  return { kind, size };
}

/** A quarter of the code passes, unless another count was chosen. @param {number} size @param {any} old */
function shareOf(size, { k, size: before }) {
  const chosen = k !== undefined && k !== Math.ceil(before / 4);
  return chosen ? Math.min(k, size) : Math.ceil(size / 4);
}

/** @param {any} layout */
const valuesOf = (layout) => layout.shape.reduce((a, b) => a * b, 1);

/** @param {Given} given */
export function DecoderStation({ studio, schema, recipe, graph }) {
  const head = meant(schema, schema?.properties?.head);
  const layers = [...(listed(recipe) ?? [])].reverse();
  const noun = recipe.network.kind === "dense" ? "dense" : "conv";
  const weights = graph ? `mirror · ${countText(sumOf(graph, "decoder"))} weights` : "mirror";
  return html`<${Station} title="Decoder" kind="decoder" aside=${weights}>
    <div class="chips" title="The decoder mirrors the encoder">${recipe.network.kind === "lstm" ? html`<span
      class="chip fixed">LSTM 2 × ${recipe.network.hidden}</span>` : layers.map((width, i) => html`<span class="chip fixed"
      key=${i}>${noun} ${width}</span>`)}</div>
    <details class="more"><summary>more</summary><div class="form-field" title=${wordsOf(head)}><span
      class="field-name">last function</span>
      <${Menu} label="Last function" value=${recipe.head} choices=${(head?.enum ?? []).map((value) => ({ value, label: value }))}
        onChange=${(value) => studio.change("head", value)} /></div></details>
  <//>`;
}
