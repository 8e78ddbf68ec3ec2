/** The state of the page: one object of signals, the same that a link carries. */

import { batch, computed, effect, signal } from "@preact/signals-core";
import { fromHash, toHash } from "narrows/state/link";

/** @typedef {import("narrows/state/link").Recipe} Recipe */

export const VIEWS = /** @type {const} */ (["build", "map", "compare", "use", "learn"]);
export const PROJECTIONS = /** @type {const} */ (["code", "two", "tsne"]);
const QUIET_MS = 250;

/** @template T @param {T} value */
const cell = (value) => signal(value);

/**
 * What the link carries beside view and recipe: a name in the link, how it is read and written; the value of
 * `empty` is left out.
 */
const CARRIED = {
  runs: { key: "run", read: (text) => text.split(",").filter((id) => /^[0-9a-z]{1,40}$/.test(id)).slice(0, 4), write: (v) => v.join(",") },
  object: { key: "object", read: whole, write: String },
  layer: { key: "layer", read: (text) => text.slice(0, 80), write: String },
  unit: { key: "unit", read: whole, write: String },
  step: { key: "step", read: whole, write: String },
  hidden: { key: "hide", read: (text) => new Set(text.split(",").map(whole).filter((n) => n !== null)), write: (v) => [...v].join(",") },
  camera: { key: "camera", read: camera, write: (v) => [v.x, v.y, v.k].map((n) => +n.toPrecision(4)).join(",") },
  projection: { key: "map", read: (text) => (PROJECTIONS.includes(text) ? text : "code"), write: String },
  override: { key: "code", read: override, write: (v) => Object.entries(v).map(([d, n]) => `${d}:${+n.toPrecision(4)}`).join(",") },
  chapter: { key: "chapter", read: (text) => text.slice(0, 40), write: String },
};

/** @param {string} text */
function whole(text) {
  const number = Number(text);
  return text !== "" && Number.isInteger(number) && number >= 0 ? number : null;
}

/** @param {string} text */
function camera(text) {
  const [x, y, k] = text.split(",").map(Number);
  return [x, y, k].every(Number.isFinite) && k > 0 ? { x, y, k } : null;
}

/** @param {string} text */
function override(text) {
  const pairs = text.split(",").map((pair) => pair.split(":").map(Number));
  return Object.fromEntries(pairs.filter(([d, n]) => Number.isInteger(d) && d >= 0 && Number.isFinite(n)));
}

/** @param {unknown} value */
function isEmpty(value) {
  if (value === null || value === undefined || value === "code" || value === "") return true;
  if (value instanceof Set) return value.size === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

export function createState() {
  return {
    /** @type {import("@preact/signals-core").Signal<string>} */
    view: cell("build"),
    /** The recipe on the table, whole once the server has completed it. @type {import("@preact/signals-core").Signal<Recipe | null>} */
    recipe: cell(null),
    /** What the server says of `recipe`: {layout, graph, counts, sample, notes}, or null. */
    preview: cell(/** @type {any} */ (null)),
    /** {schema, datasets, defaults, limits}, once here. */
    choices: cell(/** @type {any} */ (null)),
    /** Ids of the runs looked at, the first one first. */
    runs: cell(/** @type {string[]} */ ([])),
    /** The object that is chosen: its stable index. */
    object: cell(/** @type {number | null} */ (null)),
    /** The object under the pointer, not carried by the link. */
    hovered: cell(/** @type {number | null} */ (null)),
    /** Name of the layer that is opened. */
    layer: cell(/** @type {string | null} */ (null)),
    unit: cell(/** @type {number | null} */ (null)),
    /** The snapshot that is scrubbed to; null follows the newest. */
    step: cell(/** @type {number | null} */ (null)),
    /** Numbers of the classes that are hidden. */
    hidden: cell(/** @type {Set<number>} */ (new Set())),
    camera: cell(/** @type {{x: number, y: number, k: number} | null} */ (null)),
    projection: cell(/** @type {"code" | "two" | "tsne"} */ ("code")),
    /** Numbers of the code held by hand: {dimension: value}. */
    override: cell(/** @type {Record<number, number>} */ ({})),
    /** The step of the tour. */
    chapter: cell(/** @type {string | null} */ (null)),
    /** Files that were just dropped on the page, for the view that takes them. */
    dropped: cell(/** @type {File[] | null} */ (null)),
    theme: cell(/** @type {"auto" | "light" | "dark"} */ ("auto")),
    /** A calm sentence at the top: {sentence, tone: "error"|"note"}, or null. */
    banner: cell(/** @type {{sentence: string, tone: "error" | "note"} | null} */ (null)),
  };
}

/** @typedef {ReturnType<typeof createState>} State */

/**
 * The hash of a state.
 * @param {State} state
 */
export function hashOf(state) {
  /** @type {Record<string, string>} */
  const rest = {};
  for (const [name, { key, write }] of Object.entries(CARRIED)) {
    const value = state[name].value;
    if (!isEmpty(value)) rest[key] = write(value);
  }
  return toHash({ view: state.view.value, recipe: state.recipe.value, rest }, state.choices.value?.defaults.recipe ?? {});
}

/**
 * Take over what a hash says; what it leaves out goes back to its beginning.
 * @param {State} state
 * @param {string} hash
 * @returns {boolean} Whether it was a link of ours.
 */
export function takeHash(state, hash) {
  const link = fromHash(hash);
  if (!link) return false;
  const empty = createState();
  batch(() => {
    state.view.value = VIEWS.includes(/** @type {any} */ (link.view)) ? link.view : "build";
    if (link.recipe) state.recipe.value = link.recipe;
    for (const [name, { key, read }] of Object.entries(CARRIED)) {
      state[name].value = key in link.rest ? read(link.rest[key]) : empty[name].value;
    }
  });
  return true;
}

/**
 * Keep the location and the state the same; the location follows when the state has been quiet for a moment.
 * @param {State} state
 * @returns {() => void} Stops it.
 */
export function keepInLocation(state) {
  let timer = 0;
  const stop = effect(() => {
    const hash = hashOf(state);
    clearTimeout(timer);
    timer = setTimeout(() => hash !== location.hash && history.replaceState(null, "", hash), QUIET_MS);
  });
  const follow = () => location.hash !== hashOf(state) && takeHash(state, location.hash);
  addEventListener("hashchange", follow);
  return () => (stop(), clearTimeout(timer), removeEventListener("hashchange", follow));
}

/**
 * Keep the theme on the document and in this browser.
 * @param {State} state
 */
export function keepTheme(state) {
  const kept = localStorage.getItem("narrows.theme");
  if (kept === "light" || kept === "dark") state.theme.value = kept;
  return effect(() => {
    const theme = state.theme.value;
    if (theme === "auto") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("narrows.theme");
    } else {
      document.documentElement.dataset.theme = theme;
      localStorage.setItem("narrows.theme", theme);
    }
  });
}

/**
 * Whether the page is dark now, the system's wish included.
 * @param {State} state
 */
export function darkness(state) {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const wish = signal(query.matches);
  query.addEventListener("change", () => (wish.value = query.matches));
  return computed(() => (state.theme.value === "auto" ? wish.value : state.theme.value === "dark"));
}
