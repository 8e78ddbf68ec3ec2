/** The names of the classes, each with its colour and shape; a click hides one, "only" shows it alone. */

import { html, useMemo, useValue } from "narrows/page/html";
import { MARKS, occurring } from "narrows/draw/classes";
import { classColour, css } from "narrows/draw/draw";

/**
 * The mark of a class as it is drawn on the map.
 * @param {{index: number, shape: string}} given
 */
export function Mark({ index, shape }) {
  return html`<svg class="class-mark" viewBox="0 0 13 13" aria-hidden="true"><path d=${MARKS[shape]} fill=${css(classColour(index))} /></svg>`;
}

/**
 * @param {{studio: any, run: import("narrows/state/run").Run, tallies?: boolean}} given `tallies`: with the number of objects.
 */
export function Legend({ studio, run, tallies = false }) {
  const labels = useValue(run.labels);
  const hidden = useValue(studio.hidden);
  const names = useValue(() => run.graph.value?.classes, [run]) ?? NONE;
  const count = useValue(() => run.points.value?.count ?? 0, [run]);
  useValue(studio.dark);
  const classes = useMemo(() => occurring(labels, names, count), [labels, names, count]);
  if (!labels || classes.length < 2) return null;
  const alone = (index) => classes.every((one) => hidden.has(one.index) !== (one.index === index));
  const set = (next) => (studio.hidden.value = new Set(next));
  const toggle = (index) => set(hidden.has(index) ? [...hidden].filter((other) => other !== index) : [...hidden, index]);
  const only = (index) => set(alone(index) ? [] : classes.map((one) => one.index).filter((other) => other !== index));
  return html`<ul class="legend" aria-label="Classes: press one to hide or show it">
    ${classes.map(
      ({ index, name, shape, count: tally }) => html`<li key=${index}>
        <button type="button" class="plain name" aria-pressed=${!hidden.has(index)} title=${`${name}: click hides or shows it, double click shows it alone`}
          onClick=${() => toggle(index)} onDblClick=${() => only(index)}>
          <${Mark} index=${index} shape=${shape} /><span>${name}</span>${tallies && html`<small>${tally.toLocaleString("en")}</small>`}
        </button>
        <button type="button" class="plain only" aria-label=${`only ${name}`} aria-pressed=${alone(index)} onClick=${() => only(index)}>only</button>
      </li>`,
    )}
    ${hidden.size > 0 && html`<li><button type="button" class="plain all" onClick=${() => set([])}>show all</button></li>`}
  </ul>`;
}

/** @type {string[]} */
const NONE = [];
