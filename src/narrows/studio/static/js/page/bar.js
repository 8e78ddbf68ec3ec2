/** The two bars at the top: where one is, and what the training does. */

import { Copy, NOUNS, short } from "narrows/page/controls";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { VIEWS } from "narrows/state/state";
import { Timeline } from "narrows/page/timeline";

/** @typedef {import("narrows/state/studio").Studio} Studio */

const NAMES = { build: "Build", map: "Map", compare: "Compare", use: "Use", learn: "Learn" };
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };
/** @type {Record<string, "auto" | "light" | "dark">} */
const NEXT_THEME = { auto: "dark", dark: "light", light: "auto" };

/** @param {{studio: Studio}} given */
export function TopBar({ studio }) {
  const view = useValue(studio.view);
  const theme = useValue(studio.theme);
  useValue(() => studio.run.value?.detail.value);
  const link = () => location.href;
  return html`<header class="top">
    <a class="brand" href="#1/build" onClick=${(event) => (event.preventDefault(), (studio.view.value = "build"))}>
      <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
        <path class="in" d="M2 5 16 16 2 27z" /><path class="out" d="M30 5 16 16l14 11z" />
      </svg>
      narrows
    </a>
    <nav aria-label="Views">
      ${VIEWS.map(
        (name) =>
          html`<button type="button" class="tab" aria-current=${view === name ? "page" : undefined}
            onClick=${() => (studio.view.value = name)}>${NAMES[name]}</button>`,
      )}
    </nav>
    <div class="actions">
      <${Copy} text=${link} title="A link to exactly this state: an experiment">Copy link<//>
      <${Copy} text=${studio.python} title="This run as a Python program" kind="wide">as Python<//>
      <${Copy} text=${studio.command} title="This run as a command for the terminal" kind="wide">as command<//>
      <button type="button" title="Light, dark, or as the system wishes" aria-label="Theme: ${THEMES[theme]}"
        onClick=${() => (studio.theme.value = NEXT_THEME[theme])}>${THEMES[theme]}</button>
    </div>
  </header>`;
}

/** @param {{studio: Studio}} given */
export function TrainBar({ studio }) {
  const running = useValue(studio.running);
  const snapshots = useValue(() => studio.run.value?.snapshots.value ?? null);
  const step = useValue(studio.step);
  const ready = useValue(() => studio.recipe.value !== null);
  const any = useValue(() => studio.run.value !== null);
  const held = useHeld(studio);
  const at = snapshots?.findIndex((one) => one.step === step) ?? -1;
  const last = snapshots?.length ? snapshots[at < 0 ? snapshots.length - 1 : at] : null;
  return html`<section class="train" aria-label="Training">
    <button type="button" class="play" disabled=${!ready} onClick=${studio.toggle} aria-label=${running ? "Pause" : "Play"}
      title="${running ? "Pause" : "Play"} (space bar)">${running ? PAUSE : PLAY}</button>
    <button type="button" class="round" disabled=${!any} onClick=${() => studio.act("step")} aria-label="One step" title="One step of training">${STEP}</button>
    <button type="button" class="round" disabled=${!ready} onClick=${studio.reset} aria-label="Begin again" title="Begin again from new weights">${RESET}</button>
    <${Status} studio=${studio} />
    ${held && html`<button type="button" title="Pause the training that is under way, so that this one begins" onClick=${studio.makeRoom}>Pause the other</button>`}
    <${Timeline} studio=${studio} />
    <span class="where">${last ? `snapshot ${(at < 0 ? snapshots.length - 1 : at) + 1} of ${snapshots.length}` : ""}</span>
    <button type="button" class="fork" disabled=${!last} title="A new run that goes on from this snapshot, with the recipe on the table"
      onClick=${() => studio.fork(last.step)}>Fork here</button>
  </section>`;
}

/** Whether the run looked at waits for one that is not looked at. @param {Studio} studio */
function useHeld(studio) {
  const waits = useValue(() => studio.run.value?.info.value.state === "waiting");
  useEffect(() => void (waits && studio.readList()), [waits]);
  const other = useValue(() => (studio.list.value ?? []).some(({ id, state }) => state === "running" && !studio.runs.value.includes(id)));
  return waits && other;
}

const icon = (path) => html`<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d=${path} /></svg>`;
const PLAY = icon("M4 2.5v11l9-5.5z");
const PAUSE = icon("M4 2.5h3v11H4zM9 2.5h3v11H9z");
const STEP = icon("M3 3.5v9l7-4.5zM11.5 3.5H13v9h-1.5z");
const RESET = icon("M8 3a5 5 0 1 1-4.6 3H2L4.4 2.6 7 6H5a3.5 3.5 0 1 0 3-1.5z");

/** The state of things in one sentence. @param {{studio: Studio}} given */
export function Status({ studio }) {
  const info = useValue(() => studio.run.value?.info.value ?? null);
  const link = useValue(studio.live.link);
  const changed = useValue(studio.changed);
  const kind = useValue(() => studio.graph.value?.kind ?? "image");
  const step = useValue(studio.step);
  const last = useValue(() => studio.run.value?.epochs.value.at(-1) ?? null);
  const sentence = link === "lost" ? LOST : describe(info && { ...info, ...judged(last) }, kind, changed, step);
  return html`<p class="status" role="status"><b>${sentence.head}</b>${sentence.rest && ` · ${sentence.rest}`}</p>`;
}

/** The last epoch that was judged says where a training that rests has come to. @param {import("narrows/state/run").Epoch | null} last */
const judged = (last) => (last ? { valid: last.valid, finished: last.epoch } : {});

const LOST = { head: "connection lost", rest: "trying again by itself; what was trained is kept" };

/** @param {any} info @param {string} kind @param {boolean} changed @param {number | null} scrubbed */
export function describe(info, kind, changed, scrubbed) {
  if (!info) return { head: "getting ready", rest: "the recipe is being read" };
  if (scrubbed !== null) return { head: `snapshot of step ${short(scrubbed)}`, rest: "the end of the line follows the training again" };
  const said = STATES[info.state]?.(info, kind) ?? { head: info.state ?? "", rest: "" };
  const rest = changed ? "the recipe has changed: press play to train it" : said.rest;
  return { head: said.head, rest: [rest, info.outside && `its data lie outside and are read from ${info.outside}`].filter(Boolean).join(" · ") };
}

/** @param {any} info */
const progress = (info) => [`step ${short(info.step ?? 0)}`, info.valid != null && `error ${short(info.valid)}`].filter(Boolean).join(" · ");

/** @type {Record<string, (info: any, kind: string) => {head: string, rest: string}>} */
const STATES = {
  unknown: () => ({ head: "opening", rest: "reading the run" }),
  waiting: (info) => ({ head: "waiting", rest: info.why || "the trainer is getting warm" }),
  starting: (info) => ({ head: "starting", rest: info.why || "the data are read and weights are drawn" }),
  running: (info, kind) => ({
    head: `epoch ${info.epoch ?? 0}`,
    rest: [`step ${short(info.step ?? 0)}`, info.rate_objects_a_second && `${short(Math.round(info.rate_objects_a_second))} ${(NOUNS[kind] ?? NOUNS.image)[1]} a second`]
      .filter(Boolean)
      .join(" · "),
  }),
  paused: (info) => ({ head: `paused in epoch ${info.epoch ?? 0}`, rest: progress(info) }),
  stopped: (info) => ({ head: `stopped in epoch ${info.epoch ?? 0}`, rest: progress(info) }),
  done: (info) => ({ head: `trained for ${short(info.finished ?? info.epochs ?? 0)} epochs`, rest: progress(info) }),
  diverged: (info) => ({ head: "diverged", rest: info.why ?? "the error grew beyond all numbers; try a lower learning rate" }),
  failed: (info) => ({ head: "failed", rest: info.why ?? "the trainer stopped; begin again" }),
};

/** What went wrong, calmly, with a way to put it away. @param {{studio: Studio}} given */
export function Banner({ studio }) {
  const banner = useValue(studio.banner);
  const [shown, setShown] = useState(banner);
  useEffect(() => setShown(banner), [banner]);
  if (!shown) return null;
  return html`<div class="banner ${shown.tone}" role=${shown.tone === "error" ? "alert" : "status"}>
    <p>${shown.sentence}</p>
    <button type="button" onClick=${() => (studio.banner.value = null)}>Close</button>
  </div>`;
}
