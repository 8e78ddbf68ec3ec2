/** Twelve objects it has never seen: what went in, what comes out now, and what was lost. */

import { isCurve, lossText } from "narrows/draw/loss";
import { NOUNS } from "narrows/page/controls";
import { drawLost, drawObject, tileValues } from "narrows/draw/draw";
import { onFrame } from "narrows/page/beat";
import { distance } from "narrows/build/glass";
import { firstObjects } from "narrows/nn/census";
import { inputsOf, SHOWN } from "narrows/nn/inputs";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue } from "narrows/page/html";

/** @typedef {import("narrows/state/studio").Studio} Studio */

const NUMBERS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/** @param {{studio: Studio}} given */
export function Tiles({ studio }) {
  const run = useValue(studio.run);
  const graph = useValue(() => studio.run.value?.graph.value ?? null);
  const objects = useObjects(run, graph);
  const [one, many] = NOUNS[graph?.kind] ?? NOUNS.image;
  const count = objects.length || SHOWN;
  return html`<section class="tiles" aria-label="Objects it has never seen">
    <div class="heading"><h2>${NUMBERS[count]} ${count === 1 ? one : many} it has never seen</h2><span
      class="aside">input · output · what was lost${isCurve(graph) ? ", on the same scale" : ""}</span></div>
    ${objects.length
      ? html`<div class="row"
        style=${{ "--tiles": count, "--shape": shapeOf(graph) }}>${objects.map(({ clean, input }, i) => html`<${Tile}
        key=${i} studio=${studio} run=${run} graph=${graph} values=${clean} shown=${input} index=${i} />`)}</div>`
      : html`<p class="quiet">They come as soon as the training has begun.</p>`}
  </section>`;
}

/** Width by height of a tile. @param {any} graph */
function shapeOf({ kind, shape }) {
  if (kind !== "image") return "1.5";
  const [height, width] = shape.slice(-2);
  return String(width / height);
}

/** The objects of the tiles, once they are here. @param {import("narrows/state/run").Run | null} run @param {any} graph */
function useObjects(run, graph) {
  const [loaded, setLoaded] = useState({ run: null, objects: /** @type {{clean: Float32Array, input: Float32Array}[]} */ ([]) });
  useEffect(() => {
    let wanted = true;
    if (run && graph) pairsOf(run).then((objects) => wanted && setLoaded({ run, objects }), () => {});
    return () => void (wanted = false);
  }, [run, graph]);
  return loaded.run === run && graph ? loaded.objects : [];
}

/**
 * Objects and what the encoder is shown of them; the clean ones where those cannot be had.
 * @param {import("narrows/state/run").Run} run
 */
async function pairsOf(run) {
  const inputs = await inputsOf(run).catch(() => firstObjects(run, SHOWN));
  return Promise.all(inputs.map(async (input, i) => ({ input, clean: await run.object(i) })));
}

/**
 * @param {{studio: Studio, run: import("narrows/state/run").Run, graph: any, values: Float32Array, shown: Float32Array,
 *   index: number}} given `shown` is what the encoder sees.
 */
function Tile({ studio, run, graph, values, shown, index }) {
  const dark = useValue(studio.dark);
  const chosen = useValue(() => (studio.object.value ?? 0) === index, [index]);
  const label = useValue(() => run.labels.value?.[index] ?? -1, [run, index]);
  const [input, output, lost] = [useRef(null), useRef(null), useRef(null)];
  const button = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => drawObject(input.current, graph, shown), [shown, graph, dark]);
  useEffect(() => {
    const show = (tiles) => paint(button.current, output.current, lost.current, graph, values, tiles, index);
    return run.tiles.subscribe((tiles) => tiles && onFrame(() => show(tiles)));
  }, [run, graph, values, dark]);
  const named = label >= 0 && graph.classes[label] ? `, ${graph.classes[label]}` : "";
  return html`<button type="button" class="seen-tile ${graph.kind}" ref=${button} aria-pressed=${chosen}
    aria-label="object ${index + 1}${named}"
    onClick=${() => (studio.object.value = index)}
    onPointerEnter=${() => (studio.hovered.value = index)} onPointerLeave=${() => (studio.hovered.value = null)}>
    <canvas ref=${input} class="picture ${graph.kind}"></canvas>
    <canvas ref=${output} class="picture ${graph.kind}"></canvas>
    <canvas ref=${lost} class="picture lost ${graph.kind}"></canvas>
  </button>`;
}

/**
 * @param {HTMLElement | null} button
 * @param {HTMLCanvasElement | null} output
 * @param {HTMLCanvasElement | null} lost
 * @param {any} graph
 * @param {Float32Array} values
 * @param {any} tiles
 * @param {number} index
 */
function paint(button, output, lost, graph, values, tiles, index) {
  if (!button || !output || !lost || index >= tiles.count || tiles.values !== values.length) return;
  const made = tileValues(tiles, index, graph);
  drawObject(output, graph, made);
  drawLost(lost, graph, values, made);
  button.title = `error ${lossText(graph, distance(values, made))}`;
}
