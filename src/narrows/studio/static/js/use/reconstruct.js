/** The panel "reconstruct": something of one's own through the model, what was lost, its place, and what it is near to. */

import { upload as send } from "narrows/page/upload";
import { api } from "narrows/state/api";
import { FileDrop, NOUNS, short } from "narrows/page/controls";
import { error, useModel, useObjects, range } from "narrows/learn/figures";
import { fitDrawing, fitFile } from "narrows/use/fit";
import { unhalved } from "narrows/state/half";
import { html, useEffect, useMemo, useState, useValue } from "narrows/page/html";
import { Neighbours } from "narrows/nn/neighbours";
import { Pad } from "narrows/use/pad";
import { Figure, Picture } from "narrows/draw/picture";

/** @typedef {{values: Float32Array, said: string}} Subject What goes through the model, and where it is from. */

const EXAMPLES = 24;
const MOST_SHOWN = 60;
const DRAW = "Draw above, or drop a picture anywhere on this page. Pictures stay in the browser.";

/** @param {import("narrows/use/panels").PanelGiven} given */
export function Reconstruct({ studio, run, upload }) {
  const { graph, model, weights, dark } = useModel(studio);
  const layout = useValue(() => run.detail.value?.layout ?? null);
  const count = run.detail.value?.objects?.count ?? 0;
  const examples = useObjects(run, graph, range(Math.min(EXAMPLES, count)));
  const [subjects, setSubjects] = useState(/** @type {Subject[]} */ ([]));
  const [at, setAt] = useState(0);
  const [blank, setBlank] = useState(0);
  const take = (some) => (setSubjects(some), setAt(0));
  const own = async () => {
    const index = Math.floor(Math.random() * count);
    const where = await run.where(index);
    setBlank(blank + 1);
    take([{ values: await run.object(index), said: where ?? `object ${index} of the data, which it has never seen` }]);
  };
  const files = (given) => studio.attempt(async () => (setBlank(blank + 1), take(await read(given, { run, graph, layout, examples: examples ?? [] }))));
  useEffect(() => void (upload && graph && files(upload)), [upload]);
  useEffect(() => take([]), [run]);
  useEffect(() => void (!subjects.length && examples?.length && take([{ values: examples[0], said: "the first of its own" }])), [examples]);
  const x = subjects[at]?.values ?? null;
  const pass = useMemo(() => (x && model && x.length === graph.values ? copied(model.forward(x)) : null), [x, model, weights]);
  if (!graph || !model || !examples) return html`<p class="empty">The model comes with its first weights.</p>`;
  const picture = graph.kind === "image";
  const ink = (canvas) => {
    const drawn = fitDrawing(canvas, graph, layout, examples);
    if (drawn) take([{ values: drawn.values, said: "drawn by you" }]);
  };
  return html`<div class="reconstruct">
    <section class="give" aria-label="Give it something">
      ${picture && graph.shape[0] < 3 && html`<${Pad} studio=${studio} aspect=${graph.shape.at(-1) / graph.shape.at(-2)} onInk=${ink} blank=${blank} />`}
      <${FileDrop} label=${picture ? "Choose a picture" : "Choose a file"} accept=${picture ? "image/*" : ""} multiple=${picture} onFiles=${files} kind="column">
        <button type="button" onClick=${own}>Take one of its own</button>
        ${picture && html`<button type="button" onClick=${() => (setBlank(blank + 1), take([]))}>Clear</button>`}
        <p class="caption">${picture ? DRAW : `Drop a file of ${NOUNS[graph.kind][1]} anywhere on this page.`}</p>
      <//>
    </section>
    <section class="result" aria-label="What the model makes of it">
      ${x && pass
        ? html`<${Result} graph=${graph} x=${x} pass=${pass} dark=${dark} said=${subjects[at].said} />`
        : html`<p class="quiet">Give it something, and see what comes through.</p>`}
      ${subjects.length > 1 && html`<${Strip} graph=${graph} subjects=${subjects} at=${at} dark=${dark} onAt=${setAt} />`}
    </section>
    ${x && pass && html`<${Neighbours} studio=${studio} run=${run} z=${pass.z} loss=${error([x], [pass.y])} />`}
  </div>`;
}

/**
 * The objects of a file with many, to choose from.
 * @param {{graph: any, subjects: Subject[], at: number, dark: boolean, onAt: (i: number) => void}} given
 */
function Strip({ graph, subjects, at, dark, onAt }) {
  return html`<div class="strip" role="group" aria-label="Objects of the file">
    ${subjects.slice(0, MOST_SHOWN).map((subject, i) => html`
      <button type="button" class="plain" aria-pressed=${i === at} aria-label="Object ${i + 1}" onClick=${() => onAt(i)}>
        <${Picture} look=${graph} values=${subject.values} dark=${dark} label="" /></button>`)}
  </div>`;
}

/** The arrays of a pass belong to the model. @param {{z: Float32Array, y: Float32Array}} pass */
const copied = ({ z, y }) => ({ z: Float32Array.from(z), y: Float32Array.from(y) });

/** @param {{graph: any, x: Float32Array, pass: {z: Float32Array, y: Float32Array}, dark: boolean, said: string}} given */
function Result({ graph, x, pass, dark, said }) {
  const numbers = graph.code.size === 1 ? "number" : "numbers";
  const shown = [
    { name: "in", values: x, said },
    { name: "out", values: pass.y, said: `through ${graph.code.size} ${numbers}` },
    { name: "what was lost", values: x, lost: pass.y, said: `error ${short(error([x], [pass.y]))}` },
  ];
  return html`<div class="trio">
    ${shown.map(({ name, values, lost, said }) => html`
      <${Figure} look=${graph} values=${values} lost=${lost} dark=${dark} label=${name}><b>${name}</b> ${said}<//>`)}
  </div>`;
}

/**
 * Files as objects of the run: pictures in the page, all else by the server.
 * @param {File[]} files
 * @param {{run: import("narrows/state/run").Run, graph: any, layout: any, examples: Float32Array[]}} given
 * @returns {Promise<Subject[]>}
 */
async function read(files, { run, graph, layout, examples }) {
  if (graph.kind === "image" && files.every(({ type }) => type.startsWith("image/"))) {
    return Promise.all(
      files.map(async (file) => {
        const { values, notes } = await fitFile(file, graph, layout, examples);
        return { values, said: [file.name, ...notes].join("; ") };
      }),
    );
  }
  const { id, label } = await send(files);
  const answer = await api.postForBytes(`runs/${run.id}/use`, { upload: id, task: "reconstruct" });
  return unpacked(answer, graph.values, label);
}

/**
 * What the server made of an upload: u32 length, JSON, float16 objects.
 * @param {ArrayBuffer} answer @param {number} values @param {string} label @returns {Subject[]}
 */
function unpacked(answer, values, label) {
  const length = new DataView(answer).getUint32(0, true);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(answer, 4, length)));
  const all = unhalved(new Uint16Array(answer.slice(4 + length)));
  return range(said.objects.count).map((i) => ({
    values: all.slice(i * values, (i + 1) * values),
    said: [label, said.where?.[i], ...(said.notes ?? [])].filter(Boolean).join("; "),
  }));
}
