/** The page: two bars, one of five views, and keys that work everywhere. */

import { Banner, TopBar, TrainBar } from "narrows/page/bar";
import { html, render, useEffect, useState, useValue } from "narrows/page/html";
import { installProbe } from "narrows/page/probe";
import { createStudio, wake } from "narrows/state/studio";
import { DropZone } from "narrows/page/upload";

/** Each view's module is fetched when it is first looked at. @type {Record<string, () => Promise<any>>} */
const VIEWS = {
  build: () => import("narrows/views/build"),
  map: () => import("narrows/views/map"),
  compare: () => import("narrows/views/compare"),
  use: () => import("narrows/views/use"),
  learn: () => import("narrows/views/learn"),
};

/** @param {HTMLElement} root */
export function start(root) {
  installProbe();
  const studio = createStudio();
  render(html`<${Page} studio=${studio} />`, root);
  document.addEventListener("keydown", (event) => spaceBar(event, studio));
  wake(studio);
  return studio;
}

/** @param {{studio: import("narrows/state/studio").Studio}} given */
function Page({ studio }) {
  const view = useValue(studio.view);
  return html`
    <a class="skip" href="#view" onClick=${skip}>Skip to the view</a>
    <${TopBar} studio=${studio} />
    <${TrainBar} studio=${studio} />
    <${Banner} studio=${studio} />
    <main id="view" class="view ${view}" tabindex="-1"><${View} name=${view} studio=${studio} /></main>
    <${DropZone} studio=${studio} />
  `;
}

/** The hash is the state's, so the jump is made by hand. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("view")?.focus();
}

/** @param {{name: string, studio: import("narrows/state/studio").Studio}} given */
function View({ name, studio }) {
  const [loaded, setLoaded] = useState(/** @type {{name: string, View?: any, problem?: string} | null} */ (null));
  useEffect(() => {
    let wanted = true;
    VIEWS[name]().then(
      (module) => wanted && setLoaded({ name, View: module.View }),
      (problem) => wanted && setLoaded({ name, problem: String(problem.message) }),
    );
    return () => (wanted = false);
  }, [name]);
  if (loaded?.name !== name) return null;
  if (loaded.problem) return html`<p class="empty">This view could not be opened: ${loaded.problem}. Reload the page.</p>`;
  return html`<${loaded.View} studio=${studio} />`;
}

const TYPED = "input:not([type=range]), textarea, select, button, a, [contenteditable], summary";

/** @param {KeyboardEvent} event @param {import("narrows/state/studio").Studio} studio */
function spaceBar(event, studio) {
  if (event.key !== " " || /** @type {Element} */ (event.target).closest?.(TYPED)) return;
  event.preventDefault();
  studio.toggle();
}
