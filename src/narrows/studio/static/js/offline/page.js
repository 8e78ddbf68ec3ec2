/** The page of an exported run: its network alive and its map, as in the studio, with all that they need inside. */

import { effect } from "@preact/signals-core";
import { Copy } from "narrows/page/controls";
import { Curve } from "narrows/build/curve";
import { Drawer } from "narrows/build/drawer";
import { unpack } from "narrows/state/frames";
import { Glass } from "narrows/build/glass";
import { Hourglass } from "narrows/build/hourglass";
import { html, render, useEffect, useMemo, useValue } from "narrows/page/html";
import { Measures, passing, Sentence } from "narrows/build/measure";
import { about, part } from "narrows/offline/data";
import { installProbe } from "narrows/page/probe";
import { Scatter, Shown } from "narrows/dots/scatter";
import { createStudio } from "narrows/state/studio";
import { Tiles } from "narrows/build/tiles";
import { View as MapView } from "narrows/views/map";

/** @typedef {import("narrows/state/studio").Studio} Studio */

const VIEWS = { build: "Network", map: "Map" };
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };
const NEXT_THEME = /** @type {const} */ ({ auto: "dark", dark: "light", light: "auto" });

/** @param {{studio: Studio}} given */
function Page({ studio }) {
  const view = useValue(studio.view);
  return html`
    <${Top} studio=${studio} view=${view} />
    <main id="view" class="view ${view}">
      ${view === "map" ? html`<${MapView} studio=${studio} />` : html`<${Network} studio=${studio} />`}
    </main>
  `;
}

/** What was trained, and where one is. @param {{studio: Studio, view: string}} given */
function Top({ studio, view }) {
  const theme = useValue(studio.theme);
  return html`<header class="top exported">
    <span class="brand"><svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <path class="in" d="M2 5 16 16 2 27z" /><path class="out" d="M30 5 16 16l14 11z" /></svg>narrows</span>
    <nav aria-label="Views">${Object.entries(VIEWS).map(([name, label]) => html`<button type="button" class="tab"
      aria-current=${view === name ? "page" : undefined} onClick=${() => (studio.view.value = name)}>${label}</button>`)}</nav>
    <h1 class="named" title=${about.run.name}>${about.run.name}</h1>
    <p class="status">${summary()}</p>
    <div class="actions">
      <${Copy} text=${() => about.run.command} title="The command that trains it" kind="wide">as command<//>
      <${Copy} text=${() => about.run.python} title="This run as a Python program" kind="wide">as Python<//>
      <button type="button" title="Light, dark, or as the system wishes" aria-label="Theme: ${THEMES[theme]}"
        onClick=${() => (studio.theme.value = NEXT_THEME[theme])}>${THEMES[theme]}</button>
    </div>
  </header>`;
}

/** The network and its training in a few words. */
function summary() {
  const { recipe, graph, counts, epochs, objects } = about.run;
  const count = (/** @type {number} */ number) => number.toLocaleString("en");
  const sizes = [graph.values, passing(graph), graph.values].map(count).join(" → ");
  const trained = `trained for ${count(epochs)} ${epochs === 1 ? "epoch" : "epochs"} on ${count(counts.train)} objects`;
  const some = objects.count < about.of ? `; ${count(objects.count)} of ${count(about.of)} others are here` : "";
  return `${recipe.network.kind}, ${sizes}, ${trained}${some}`;
}

/** The network with one object in it, and how well it does. @param {{studio: Studio}} given */
function Network({ studio }) {
  const glass = useMemo(() => new Glass(studio), [studio]);
  const layer = useValue(studio.layer);
  const run = useValue(studio.run);
  useEffect(() => glass.follow(), [glass]);
  return html`<div class="columns build-view exported">
    <div class="stage">
      <${Hourglass} studio=${studio} glass=${glass} />
      ${layer ? html`<${Drawer} studio=${studio} glass=${glass} name=${layer} />` : html`<${Tiles} studio=${studio} />`}
    </div>
    <aside class="side" aria-label="How well it does">
      <section class="small-map" aria-label="The code, seen from above">
        <div class="heading"><h2>The narrows, seen from above</h2>${run && html`<${Shown} run=${run} />`}</div>
        <${Scatter} studio=${studio} run=${run} small />
      </section>
      <${Sentence} studio=${studio} />
      <${Measures} studio=${studio} />
      <${Curve} studio=${studio} />
    </aside>
  </div>`;
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
  run.take(unpack(await part("tiles")));
}

start(/** @type {HTMLElement} */ (document.getElementById("app")));
