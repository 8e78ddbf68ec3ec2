/** The card of the object under the pointer: the object, what the model makes of it, what it is and where it is from. */

import { Mark } from "narrows/dots/legend";
import { shapeOf } from "narrows/draw/classes";
import { short } from "narrows/page/controls";
import { html, useEffect, useLayoutEffect, useRef, useState, useValue } from "narrows/page/html";
import { beside } from "narrows/dots/lens";
import { Figure } from "narrows/draw/picture";

/** @type {WeakMap<object, any>} A model of our own for each run's: its buffers are ours. */
const twins = new WeakMap();

/** @param {import("narrows/state/run").Run} run */
export function twinOf(run) {
  const model = run.model.peek();
  if (!model) return null;
  if (!twins.has(model)) twins.set(model, model.twin());
  return twins.get(model);
}

/**
 * An object and its reconstruction by the weights of now; anew when either changes.
 * @param {import("narrows/state/run").Run} run @param {number | null} index
 * @returns {{index: number, values: Float32Array, output: Float32Array | null, code: Float32Array | null, error: number, where: string | null} | null}
 */
export function useObject(run, index) {
  const [known, setKnown] = useState(/** @type {any} */ (null));
  const weights = useValue(run.weights);
  const graph = useValue(run.graph);
  useEffect(() => {
    let wanted = true;
    if (index === null || !graph) setKnown(null);
    else {
      Promise.all([run.object(index), run.where(index)]).then(
        ([values, where]) => wanted && setKnown({ index, where, values, ...passOf(run, values) }),
        () => {},
      );
    }
    return () => (wanted = false);
  }, [run, index, weights, graph]);
  return known;
}

function passOf(run, values) {
  const twin = twinOf(run);
  if (!twin) return { output: null, code: null, error: NaN };
  const { y, z } = twin.forward(values);
  let sum = 0;
  for (let d = 0; d < y.length; d += 1) sum += (y[d] - values[d]) ** 2;
  return { output: y.slice(), code: z.slice(), error: sum / y.length };
}

/** The name of an object's class, or "". @param {import("narrows/state/run").Run} run @param {number} index */
export function className(run, index) {
  const label = run.labels.value?.[index] ?? -1;
  return label >= 0 ? (run.graph.value?.classes[label] ?? "") : "";
}

/** @param {{studio: any, run: import("narrows/state/run").Run, place: () => any, small: boolean}} given */
export function HoverCard({ studio, run, place, small }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const hovered = useValue(studio.hovered);
  const known = useObject(run, hovered);
  const graph = useValue(run.graph);
  const dark = useValue(studio.dark);
  const spot = place();
  const ready = known && spot && hovered !== null && graph;
  useLayoutEffect(() => void (ready && beside(box.current, spot)));
  if (!ready) return null;
  const label = run.labels.value?.[known.index] ?? -1;
  const name = className(run, known.index);
  return html`<div class="hovercard card ${small ? "small" : ""}" ref=${box} aria-live="polite">
    <div class="pair">
      <${Figure} look=${graph} values=${known.values} dark=${dark} label="object">object<//>
      ${known.output && html`<${Figure} look=${graph} values=${known.output} dark=${dark} label="reconstruction">rebuilt<//>`}
    </div>
    <p>${name && html`<b><${Mark} index=${label} shape=${shapeOf(label)} /> ${name}</b>`} <span class="quiet">object ${known.index.toLocaleString("en")}</span></p>
    ${known.where && html`<p class="caption">${known.where}</p>`}
    ${Number.isFinite(known.error) && html`<p class="caption">squared error ${short(known.error)}</p>`}
  </div>`;
}
