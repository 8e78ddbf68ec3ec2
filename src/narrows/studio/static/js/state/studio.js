/** The studio: the page's state, its runs, and what a reader can do to them. */

import { computed, effect, signal } from "@preact/signals-core";
import { api } from "narrows/state/api";
import { afterFrame } from "narrows/page/beat";
import { canKeep } from "narrows/state/keep";
import { asCommand } from "narrows/state/link";
import { Live } from "narrows/state/live";
import { planned } from "narrows/page/previewed";
import { tellAsked, tellVisible, told } from "narrows/page/probe";
import { createState, darkness, keepInLocation, keepTheme, takeHash } from "narrows/state/state";

const PREVIEW_QUIET_MS = 200;
const SCRUB_QUIET_MS = 60;
const ENDED = ["done", "stopped", "diverged", "failed"];
const GOING = ["running", "starting", "waiting"];
const LIVE = [...GOING, "paused"];
/** What learns when nobody asked for anything: embedded data, a code one can draw, and enough steps to watch. */
export const FIRST = {
  data: { name: "digits", limit: null },
  corruption: { kind: "none" },
  network: { kind: "dense", widths: [64, 32] },
  bottleneck: { kind: "plain", size: 2 },
  training: { epochs: 200, batch: 64, rate: 2e-3 },
};

/** @typedef {ReturnType<typeof createStudio>} Studio */
/** @typedef {import("narrows/state/link").Recipe} Recipe */

export function createStudio() {
  const state = createState();
  const live = new Live();
  const watched = computed(() => state.runs.value.map((id) => live.run(id)));
  const run = computed(() => watched.value[0] ?? null);
  const studio = {
    ...state,
    live,
    api,
    /** The runs looked at (Run objects), the first one first. */
    watched,
    /** The first of them, or null. */
    run,
    /** Its graph, or that of the recipe on the table before it runs. */
    graph: computed(() => run.value?.graph.value ?? state.preview.value?.graph ?? null),
    dark: darkness(state),
    /** What the last change of the recipe did to the training: {sentence}, anew each time. */
    retrained: signal(/** @type {{sentence: string} | null} */ (null)),
    /** All runs as GET /api/runs lists them, the newest first; null until read. */
    list: signal(/** @type {any[] | null} */ (null)),
    /** Whether training goes on now. */
    running: computed(() => GOING.includes(run.value?.info.value.state)),
    /** Whether the recipe on the table is not the one of the run shown. */
    changed: computed(() => {
      const trained = run.value?.detail.value?.recipe;
      return Boolean(trained && state.recipe.value) && !within(state.recipe.value, trained);
    }),
  };
  return Object.assign(studio, {
    ...voice(studio),
    ...table(studio),
    ...beginnings(studio),
    ...controls(studio),
    ...looks(studio),
    ...shelf(studio),
  });
}

/**
 * Whether every setting of `part` is so in `whole`.
 * @param {any} part
 * @param {any} whole
 */
export function within(part, whole) {
  if (part === null || typeof part !== "object" || Array.isArray(part)) return JSON.stringify(part) === JSON.stringify(whole);
  return whole !== null && typeof whole === "object" && Object.entries(part).every(([name, value]) => within(value, whole[name]));
}

/** What the page says at its top. @param {any} studio */
function voice(studio) {
  /** Say a sentence at the top of the page. @param {string} sentence @param {"error"|"note"} [tone] */
  const say = (sentence, tone = "note") => void (studio.banner.value = { sentence, tone });

  /** Do something that may fail, and say so calmly. @template T @param {() => Promise<T>} task */
  const attempt = async (task) => {
    try {
      return await task();
    } catch (problem) {
      say(problem instanceof Error ? problem.message : String(problem), "error");
      return undefined;
    }
  };

  return { say, attempt };
}

/** The recipe on the table. @param {any} studio */
function table(studio) {
  let previewTimer = 0;
  let asked = 0;
  /** What was last said to be wrong with a recipe. */
  let refusal = "";

  /**
   * Ask the server what it makes of a wish: a recipe, or the default one for some data; true if it is on the table now.
   * @param {{recipe?: Recipe, data?: string, network?: string, bottleneck?: string}} [wish]
   */
  const readPreview = async (wish = { recipe: studio.recipe.value }) => {
    const taken = await studio.attempt(async () => {
      const turn = (asked += 1);
      const answer = await planned(wish);
      if (turn !== asked) return false;
      studio.preview.value = answer;
      studio.recipe.value = answer.recipe;
      if (refusal && studio.banner.value?.sentence === refusal) studio.banner.value = null;
      return true;
    });
    if (taken === undefined) refusal = studio.banner.value.sentence;
    return taken;
  };

  /** Put another recipe on the table; a training that goes on begins anew with it. @param {Recipe} recipe */
  const edit = (recipe) => {
    // A training that was paused or stopped by hand waits for play; one that came to its end goes on with the change.
    const again = studio.running.value || studio.run.value?.info.value.state === "done";
    studio.recipe.value = recipe;
    // What was asked of the recipe before would put that one back onto the table.
    asked += 1;
    clearTimeout(previewTimer);
    previewTimer = setTimeout(async () => {
      if ((await readPreview()) && again && studio.changed.value) await studio.retrain();
    }, PREVIEW_QUIET_MS);
  };

  /** Change one setting by its dotted path. @param {string} path @param {unknown} value */
  const change = (path, value) => edit(changedAt(studio.recipe.value ?? {}, path.split("."), value));

  /**
   * Put the default recipe for a data set, network or bottleneck on the table.
   * @param {{data: string, network?: string, bottleneck?: string}} wish
   */
  const choose = async (wish) => {
    const again = studio.running.value;
    if ((await readPreview(wish)) && again) await studio.begin();
  };

  return { readPreview, edit, change, choose };
}

/** What begins a training. @param {any} studio */
function beginnings(studio) {
  const inTurn = oneByOne();

  /** @param {Recipe[]} recipes @param {string[]} [names] */
  const beginNow = async (recipes, names) => {
    tellAsked(stepSeen(studio));
    const instead = studio.running.value ? studio.run.value.id : undefined;
    const { runs } = await api.post("runs", { recipes, names, instead });
    runs.forEach((one) => studio.live.run(one.id).hear({ state: "starting", ...one }));
    studio.step.value = null;
    studio.runs.value = runs.map(({ id }) => id);
    return true;
  };

  /** @param {number} step @param {boolean} instead Whether it takes the place of the run it comes from. */
  const forkNow = async (step, instead) => {
    const { id } = await api.post(`runs/${studio.run.value.id}/fork`, { step, recipe: studio.recipe.value, instead });
    studio.step.value = null;
    studio.runs.value = [id];
    return id;
  };

  /** Train what is on the table: from the weights that are there where they suit it, else from new ones. */
  const retrainNow = async () => {
    const run = studio.run.value;
    const last = run?.snapshots.value.at(-1);
    const keep = last && canKeep({ recipe: run.detail.value?.recipe, graph: run.graph.value }, studio.recipe.value, studio.preview.value?.graph);
    if (keep && (await studio.attempt(() => forkNow(last.step, true)))) return tellRetrained("The recipe changed: training goes on from the weights there were.");
    await studio.attempt(() => beginNow([studio.recipe.value]));
    return tellRetrained(keep === false ? "The layers or the data changed: training began anew with new weights." : "The recipe changed: training began anew.");
  };

  /** @param {string} sentence */
  const tellRetrained = (sentence) => void (studio.retrained.value = { sentence });

  /**
   * Train recipes, up to four side by side; without any, the one on the table.
   * @param {Recipe[]} [recipes]
   * @param {string[]} [names]
   */
  const begin = (recipes = [studio.recipe.value], names) => inTurn(() => studio.attempt(() => beginNow(recipes, names)));

  /** Put a recipe on the table and train it at once. @param {Recipe} recipe @param {string} [name] */
  const train = (recipe, name) => {
    studio.recipe.value = recipe;
    return Promise.all([begin([recipe], name ? [name] : undefined), studio.readPreview()]);
  };

  /** Go on from a snapshot as a run of its own, with the recipe on the table. @param {number} step */
  const fork = (step) => inTurn(() => studio.attempt(() => forkNow(step, false)));

  return { begin, train, fork, retrain: () => inTurn(retrainNow) };
}

/** One task after the other, each knowing what the one before has begun; of several that wait only the last is done. */
function oneByOne() {
  let turn = Promise.resolve();
  let last = 0;
  /** @template T @param {() => Promise<T>} task @returns {Promise<T | undefined>} */
  return (task) => {
    const mine = (last += 1);
    const done = turn.then(() => (mine === last ? task() : undefined));
    turn = done.then(() => {}, () => {});
    return done;
  };
}

/** What makes a training move. */
const GOES_ON = ["resume", "step", "restart"];

/** The step whose points are on the screen. @param {any} studio @returns {number | null} */
const stepSeen = (studio) => studio.run.value?.points.value?.step ?? null;

/** What is done to the training looked at. @param {any} studio */
function controls(studio) {
  /** @param {"pause"|"resume"|"step"|"stop"|"restart"} what */
  const act = (what) => {
    if (GOES_ON.includes(what)) tellAsked(stepSeen(studio));
    return studio.attempt(() => api.post(`runs/${studio.run.value.id}/do`, { do: what }));
  };

  /** Play or pause: what the large button and the space bar do. */
  const toggle = () => {
    const run = studio.run.value;
    const state = run?.info.value.state;
    studio.step.value = null;
    if (!run || studio.changed.value || ["done", "diverged", "failed"].includes(state)) return studio.begin();
    return act(studio.running.value ? "pause" : "resume");
  };

  /** Begin again from the first weights: the same run, unless its recipe has changed or it is not ours to restart. */
  const reset = () => {
    const run = studio.run.value;
    studio.step.value = null;
    return run && !studio.changed.value && run.detail.value?.origin !== "terminal" ? act("restart") : studio.begin();
  };

  return { act, toggle, reset };
}

/** Which run, and which of its moments, is looked at. @param {any} studio */
function looks(studio) {
  let scrubTimer = 0;

  /** Show a snapshot, or null for the newest. @param {number | null} step */
  const scrub = (step) => {
    studio.step.value = step;
    told.snapshot = step;
    clearTimeout(scrubTimer);
    scrubTimer = setTimeout(() => studio.watched.value.forEach((run) => studio.attempt(() => run.scrub(step))), SCRUB_QUIET_MS);
  };

  /** Look at a run of the list. @param {string} id */
  const open = (id) =>
    studio.attempt(async () => {
      const run = studio.live.run(id);
      await run.reload();
      studio.step.value = null;
      studio.object.value = null;
      studio.override.value = {};
      studio.recipe.value = run.detail.value.recipe;
      studio.runs.value = [id];
    });

  return { scrub, open };
}

/** The list of runs, and the run looked at as a command and as Python. @param {any} studio */
function shelf(studio) {
  /** Pause what trains elsewhere, so that the run looked at need not wait. */
  const makeRoom = () =>
    studio.attempt(async () => {
      const others = (await api.get("runs")).filter(({ id, state }) => state === "running" && !studio.runs.value.includes(id));
      await Promise.all(others.map(({ id }) => api.post(`runs/${id}/do`, { do: "pause" })));
    });

  let asked = 0;
  let heard = 0;

  /** Read the list of runs anew; an answer that was overtaken by a later one is put away. */
  const readList = () =>
    studio.attempt(async () => {
      const turn = (asked += 1);
      const list = await api.get("runs");
      if (turn < heard) return;
      heard = turn;
      studio.list.value = list;
    });

  const command = () => studio.run.value?.detail.value?.command ?? asCommand(studio.recipe.value ?? {}, studio.choices.value?.defaults.recipe ?? {});
  const python = () => studio.run.value?.detail.value?.python ?? null;

  return { makeRoom, readList, command, python };
}

/**
 * A copy of a nested object with one leaf changed.
 * @param {any} nested
 * @param {string[]} names
 * @param {unknown} value
 */
function changedAt(nested, [name, ...rest], value) {
  return { ...nested, [name]: rest.length ? changedAt(nested?.[name] ?? {}, rest, value) : value };
}

/**
 * Bring the studio to life: what the link says, or what is learning already, or else something that learns.
 * @param {Studio} studio
 */
export async function wake(studio) {
  keepTheme(studio);
  forgetElsewhere(studio);
  takeHash(studio, location.hash);
  keepInLocation(studio);
  const [choices] = await Promise.all([studio.attempt(() => api.get("choices")), studio.readList()]);
  studio.choices.value = choices ?? null;
  studio.live.connect();
  const shown = shownFirst(studio);
  studio.runs.value = shown;
  effect(() => {
    const ids = studio.runs.value;
    studio.live.watch(ids);
    ids.forEach((id) => read(studio.live.run(id)));
  });
  effect(() => {
    const points = studio.run.value?.points.value;
    if (points) afterFrame(() => tellVisible(points.step));
  });
  if (shown.length) return comeBack(studio, shown[0]);
  // A link says only what is not usual, so the server completes its recipe before it trains.
  if (studio.recipe.value) {
    if (!(await studio.readPreview())) await fallBack(studio);
    await studio.begin();
    return;
  }
  studio.recipe.value = FIRST;
  await Promise.all([studio.readPreview(), studio.begin()]);
}

/** What went wrong in one view is no news in another. @param {Studio} studio */
function forgetElsewhere(studio) {
  let seen = studio.view.peek();
  effect(() => {
    const view = studio.view.value;
    if (view !== seen) studio.banner.value = null;
    seen = view;
  });
}

/** A link asked for what cannot be: say so, and learn something else. @param {Studio} studio */
async function fallBack(studio) {
  const said = studio.banner.value;
  studio.recipe.value = FIRST;
  await studio.readPreview();
  studio.banner.value = said;
}

/** The runs to open with: those of the link that are known here; without a link, one that trains. @param {Studio} studio */
function shownFirst({ runs, recipe, list }) {
  const known = list.value ?? [];
  const linked = runs.value.filter((id) => known.some((run) => run.id === id));
  if (linked.length || recipe.value) return linked;
  const live = known.find(({ state }) => LIVE.includes(state));
  return live ? [live.id] : [];
}

/** Read a run that is looked at; the socket brings the rest, if it trains. @param {import("narrows/state/run").Run} run */
async function read(run) {
  await run.load().catch(() => {});
  const { state, step } = run.info.peek();
  if (ENDED.includes(state) && step > 0 && !run.points.peek() && run.scrubbed.peek() === null) await run.readLatest();
}

/** Go on where the link left off. @param {Studio} studio @param {string} id */
async function comeBack(studio, id) {
  const run = studio.live.run(id);
  await studio.attempt(() => run.load());
  studio.recipe.value ??= run.detail.value?.recipe ?? FIRST;
  if (studio.step.value !== null) studio.scrub(studio.step.value);
  await studio.readPreview();
}
