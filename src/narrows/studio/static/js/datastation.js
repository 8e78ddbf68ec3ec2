/** The first station: where the objects come from, some of them to look at, and one's own. */

import { api } from "narrows/api";
import { counted, FileDrop, Menu } from "narrows/controls";
import { html, useEffect, useState, useValue } from "narrows/html";
import { Picture } from "narrows/picture";
import { unhalved } from "narrows/half";
import { scaled } from "narrows/nn";
import { Station } from "narrows/station";
import { unpackPreview } from "narrows/previewed";
import { upload } from "narrows/upload";

/** @typedef {import("narrows/studio").Studio} Studio */

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
  const sets = (choices?.datasets ?? []).map((set) => ({ value: set.name, label: set.here ? set.name : `${set.name} (not here)`, off: !set.here && !set.downloads }));
  const own = uploads.map((upload) => ({ value: `upload:${upload.id}`, label: upload.label ?? upload.id }));
  const title = choices?.datasets?.find((set) => set.name === name)?.title ?? "your own";
  return html`<${Station} title="Data" aside=${counts ? counted(counts.train + counts.valid + counts.test, kind) : ""}>
    <${FileDrop} label="own …" accept=${ACCEPTED} multiple onFiles=${take}>
      <${Menu} label="Data: ${title}" value=${name} choices=${[...sets, ...own]} onChange=${(value) => pick(studio, value)} />
    <//>
    <${Examples} studio=${studio} recipe=${recipe} />
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

/** Some of the objects, as they are. @param {{studio: Studio, recipe: any}} given */
function Examples({ studio, recipe }) {
  const [shown, setShown] = useState(/** @type {{graph: any, objects: Float32Array[], labels: number[]} | null} */ (null));
  const dark = useValue(studio.dark);
  const ready = useValue(() => studio.preview.value?.recipe?.data);
  const key = JSON.stringify(ready ?? null);
  useEffect(() => {
    if (!ready) return undefined;
    let wanted = true;
    const read = async () => {
      const { recipe: whole } = studio.preview.peek();
      const bytes = await api.postForBytes("preview?frames=1", { recipe: whole }).catch(() => null);
      if (wanted && bytes) setShown(examplesOf(unpackPreview(bytes)));
    };
    read();
    return () => void (wanted = false);
  }, [key]);
  if (!shown) return html`<div class="thumbs four empty-thumbs"></div>`;
  const { graph, objects, labels } = shown;
  return html`<div class="thumbs four">${objects.map((values, i) => html`<${Picture} key=${i} look=${graph} values=${values} dark=${dark} label=${graph.classes[labels[i]] ?? `object ${i + 1}`} />`)}</div>`;
}

/** @param {{said: any, objects: ArrayBuffer}} previewed */
function examplesOf({ said: { graph, sample }, objects }) {
  const all = sample.dtype === "uint8" ? scaled(new Uint8Array(objects), graph) : unhalved(new Uint16Array(objects));
  const count = Math.min(SHOWN, sample.ids.length);
  return { graph, labels: sample.labels ?? [], objects: Array.from({ length: count }, (_, i) => all.subarray(i * graph.values, (i + 1) * graph.values)) };
}
