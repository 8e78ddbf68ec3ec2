/** Use: what a trained run can do with a file of one's own. */

import { Segments } from "narrows/page/controls";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { PANELS } from "narrows/use/panels";
import { Runs } from "narrows/page/runs";

/** @param {{studio: import("narrows/state/studio").Studio}} given */
export function View({ studio }) {
  const run = useValue(studio.run);
  const kind = useValue(() => studio.run.value?.graph.value?.kind ?? null);
  const remote = useValue(() => studio.run.value?.graph.value?.remote ?? false);
  const dropped = useValue(studio.dropped);
  const [chosen, setChosen] = useState(PANELS[0].name);
  const fit = PANELS.filter(({ accepts }) => kind && accepts.includes(kind));
  const panel = fit.find(({ name }) => name === chosen) ?? fit[0];
  useEffect(() => () => void (studio.dropped.value = null), []);
  return html`<div class="using">
    <${Runs} studio=${studio} />
    <div class="panel">
      <div class="heading"><h1>${panel?.title ?? "Use a trained run"}</h1><span class="aside">${run?.detail.value?.name ?? ""}</span></div>
      ${fit.length > 1 && html`<${Segments} label="Use" value=${panel.name} onChange=${setChosen} choices=${fit.map(({ name, title }) => ({ value: name, label: title }))} />`}
      ${remote
        ? html`<p class="empty">This model is too large to run in the page. Use <code>narrows reconstruct</code> in a terminal.</p>`
        : panel
          ? html`<${panel.Panel} key=${run.id} studio=${studio} run=${run} upload=${dropped} />`
          : html`<p class="empty">Choose a run on the left, or press play on Build: what is trained can be used here.</p>`}
    </div>
  </div>`;
}
