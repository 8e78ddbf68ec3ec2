/** The first station: where the objects come from, some of them to look at, and one's own. */

import { api } from "narrows/state/api";
import { counted, FileDrop, Menu } from "narrows/page/controls";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { Picture } from "narrows/draw/picture";
import { Station } from "narrows/build/station";
import { exampleObjects } from "narrows/page/previewed";
import { upload } from "narrows/page/upload";

/** @typedef {import("narrows/state/studio").Studio} Studio */

const SHOWN = 4;
const ACCEPTED = ".zip,.csv,.wav,.npy,.npz,.png,.jpg,.jpeg,.tif,.tiff,.flac,.mat";

/** @param {{studio: Studio, schema: any, recipe: any, graph: any, layout: any}} given */
export function DataStation({ studio, recipe }) {
  const choices = useValue(studio.choices);
  const counts = useValue(() => studio.preview.value?.counts ?? null);
  const kind = useValue(() => studio.preview.value?.layout?.kind ?? "image");
  const [uploads, setUploads] = useState(/** @type {any[]} */ ([]));
  const [busy, setBusy] = useState("");
  const { name } = recipe.data;
  useEffect(() => void api.get("uploads").then((answer) => setUploads(Array.isArray(answer) ? answer : []), () => {}), []);
  const take = async (files) => {
    setBusy(`reading ${files.length === 1 ? files[0].name : `${files.length} files`} …`);
    const made = await studio.attempt(() => upload(files));
    setBusy("");
    if (!made) return;
    setUploads((old) => [made, ...old]);
    await pick(studio, `upload:${made.id}`);
  };
  const sets = (choices?.datasets ?? []).map(({ name: value, here, downloads }) => ({
    value, label: here ? value : `${value} (not here)`, off: !here && !downloads,
  }));
  const own = uploads.map((upload) => ({ value: `upload:${upload.id}`, label: upload.label ?? upload.id }));
  const title = choices?.datasets?.find((set) => set.name === name)?.title ?? "your own";
  return html`<${Station} title="Data" aside=${counts ? counted(counts.train + counts.valid + counts.test, kind) : ""}>
    <${FileDrop} label="own …" accept=${ACCEPTED} multiple onFiles=${take}>
      <${Menu} label="Data: ${title}" value=${name} choices=${[...sets, ...own]} onChange=${(value) => pick(studio, value)} />
    <//>
    <${Examples} studio=${studio} />
    ${busy && html`<p class="says" role="status">${busy}</p>`}
  <//>`;
}

/**
 * Other data: the network that suits it, with the bottleneck, the corruption and the kind of network that were chosen.
 * @param {Studio} studio @param {string} name
 */
export async function pick(studio, name) {
  const old = studio.recipe.value;
  const answer = await studio.attempt(() => api.post("preview", { data: name, network: old?.network?.kind, bottleneck: old?.bottleneck?.kind }));
  if (!answer) return;
  const { recipe, layout } = answer;
  const values = layout.shape.reduce((a, b) => a * b, 1);
  const size = Math.min(old?.bottleneck?.size ?? recipe.bottleneck.size, values);
  const suits = old?.corruption && !["mask-patches", "mask-spans"].includes(old.corruption.kind);
  studio.object.value = null;
  studio.override.value = {};
  studio.edit({ ...recipe, bottleneck: { ...recipe.bottleneck, size }, corruption: suits ? old.corruption : recipe.corruption });
}

/** Some of the objects, as they are. @param {{studio: Studio}} given */
function Examples({ studio }) {
  const plan = useValue(studio.preview);
  const dark = useValue(studio.dark);
  const [shown, setShown] = useState(/** @type {{graph: any, objects: Float32Array[], labels: number[]} | null} */ (null));
  useEffect(() => {
    const objects = exampleObjects(plan).slice(0, SHOWN);
    if (objects.length) setShown({ graph: plan.graph, objects, labels: plan.sample.labels ?? [] });
  }, [plan]);
  if (!shown) return html`<div class="thumbs four empty-thumbs"></div>`;
  const { graph, objects, labels } = shown;
  return html`<div class="thumbs four">
    ${objects.map((values, i) => html`<${Picture} key=${i} look=${graph} values=${values} dark=${dark}
      label=${graph.classes[labels[i]] ?? `object ${i + 1}`} />`)}
  </div>`;
}
