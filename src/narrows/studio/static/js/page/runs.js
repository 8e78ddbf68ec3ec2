/** The list of runs: opened, named, exported, put into the bin. */

import { api } from "narrows/state/api";
import { short } from "narrows/page/controls";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue } from "narrows/page/html";

/** @typedef {import("narrows/state/studio").Studio} Studio */

const AGAIN_MS = 4000;

/** @param {{studio: Studio}} given */
export function Runs({ studio }) {
  const list = useValue(studio.list);
  const shown = useValue(studio.runs);
  const state = useValue(() => studio.run.value?.info.value.state);
  useEffect(() => {
    studio.readList();
    const timer = state === "running" ? setInterval(studio.readList, AGAIN_MS) : 0;
    return () => clearInterval(timer);
  }, [shown, state]);
  return html`<section class="runs" aria-label="Runs">
    <div class="heading"><h2>Runs</h2><span class="aside">${list ? list.length : ""}</span></div>
    ${list?.length === 0 && html`<p class="quiet">None yet: press play on Build.</p>`}
    <ul>${(list ?? []).map((run) => html`<${Entry} key=${run.id} studio=${studio} run=${run} shown=${shown.includes(run.id)} />`)}</ul>
  </section>`;
}

const TRAINS = ["running", "starting", "waiting", "paused"];

/** @param {{studio: Studio, run: any, shown: boolean}} given */
function Entry({ studio, run, shown }) {
  const [naming, setNaming] = useState(false);
  const remove = () =>
    studio.attempt(async () => {
      await api.remove(`runs/${run.id}`);
      studio.runs.value = studio.runs.value.filter((id) => id !== run.id);
      await studio.readList();
      studio.say(`${run.name} is in the bin, where it is kept for seven days.`);
    });
  return html`<li class=${shown ? "shown" : ""}>
    ${naming
      ? html`<${Naming} studio=${studio} run=${run} done=${() => setNaming(false)} />`
      : html`<button type="button" class="plain name" aria-current=${shown || undefined} onClick=${() => studio.open(run.id)}>
          <b>${run.name}</b><small>${facts(run)}</small>
        </button>`}
    <div class="deeds">
      <button type="button" class="plain" onClick=${() => setNaming(!naming)} aria-label="Rename ${run.name}">Rename</button>
      <${Export} studio=${studio} run=${run} />
      <button type="button" class="plain" onClick=${remove} disabled=${TRAINS.includes(run.state)} aria-label="Put ${run.name} into the bin">Delete</button>
    </div>
  </li>`;
}

/** @param {any} run */
function facts({ data, network, bottleneck, size, valid, state, forked_step }) {
  const from = data.startsWith("upload:") ? "own data" : data;
  const origin = forked_step === null ? [] : [`from step ${forked_step.toLocaleString("en")}`];
  return [from, network, `${bottleneck} ${size}`, ...origin, valid !== null ? `error ${short(valid)}` : state].join(" · ");
}

/** @param {{studio: Studio, run: any, done: () => void}} given */
function Naming({ studio, run, done }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // Given once: a value that is set with each reading of the list would undo what is being typed.
  useLayoutEffect(() => {
    field.current.value = run.name;
    field.current.select();
  }, []);
  const save = (event) => {
    event.preventDefault();
    const name = field.current.value.trim();
    done();
    if (name && name !== run.name) studio.attempt(async () => (await api.patch(`runs/${run.id}`, { name }), studio.readList()));
  };
  return html`<form onSubmit=${save}>
    <input ref=${field} type="text" aria-label="Name of the run" maxlength="120" onKeyDown=${(event) => event.key === "Escape" && done()} />
    <button type="submit">Save</button>
  </form>`;
}

/** The size is said before anything is made. @param {{studio: Studio, run: any}} given */
function Export({ studio, run }) {
  const [size, setSize] = useState(/** @type {number | null} */ (null));
  const [weighed, setWeighed] = useState(false);
  const weigh = async () => {
    setWeighed(true);
    await studio.attempt(async () => setSize((await api.get(`runs/${run.id}/export?dry=1`)).bytes));
    setWeighed(false);
  };
  if (size !== null) {
    return html`<a class="button" href="/api/runs/${run.id}/export" download="${run.name}.html">Save ${(size / 1e6).toFixed(1)} MB</a>`;
  }
  return html`<button type="button" class="plain" onClick=${weigh} disabled=${!run.step || weighed}
    aria-label="Export ${run.name} as one HTML file" title="One HTML file that works without a server">
    ${weighed ? "weighing …" : "Export"}</button>`;
}
