/** The page of an exported run: what it is at the top, its map, and its network below. */

import { effect } from "@preact/signals-core";
import { short } from "narrows/controls";
import { html, render, useValue } from "narrows/html";
import { about } from "narrows/offline/data";
import { installProbe } from "narrows/probe";
import { createStudio } from "narrows/studio";
import { View as MapView } from "narrows/views/map";

/** @typedef {import("narrows/studio").Studio} Studio */

const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };
const NEXT_THEME = /** @type {const} */ ({ auto: "dark", dark: "light", light: "auto" });

/** @param {{studio: Studio}} given */
function Page({ studio }) {
  return html`
    <${Top} studio=${studio} />
    <main id="view" class="view map exported"><${MapView} studio=${studio} /></main>
  `;
}

/** What was trained, on what, and how well. @param {{studio: Studio}} given */
function Top({ studio }) {
  const theme = useValue(studio.theme);
  const { name, objects, counts } = about.run;
  return html`<header class="top">
    <span class="brand"><svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <path class="in" d="M2 5 16 16 2 27z" /><path class="out" d="M30 5 16 16l14 11z" /></svg>${name}</span>
    <p class="status"><b>${sentence()}</b> · trained on ${short(counts.train)}, ${short(objects.count)} shown${errorWords()}</p>
    <div class="actions"><button type="button" title="Light, dark, or as the system wishes" aria-label="Theme: ${THEMES[theme]}"
      onClick=${() => (studio.theme.value = NEXT_THEME[theme])}>${THEMES[theme]}</button></div>
  </header>`;
}

/** The network in a few words. */
function sentence() {
  const { recipe, graph } = about.run;
  return `${recipe.network.kind}, ${graph.values} → ${graph.code.size} → ${graph.values}`;
}

/** The error beside PCA's, where it was judged. */
function errorWords() {
  const { model, pca } = about.run.errors;
  if (model === undefined) return "";
  return ` · test error ${short(model)}${pca === null ? "" : `, PCA ${short(pca)}`}`;
}

/** Show the run that the page carries. @param {HTMLElement} root */
async function start(root) {
  installProbe();
  const studio = createStudio();
  effect(() => void (document.documentElement.dataset.theme = studio.theme.value));
  render(html`<${Page} studio=${studio} />`, root);
  studio.runs.value = [about.run.id];
  const run = studio.live.run(about.run.id);
  await run.load();
  await run.readLatest();
}

start(/** @type {HTMLElement} */ (document.getElementById("app")));
