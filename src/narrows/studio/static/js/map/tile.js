/** One object as a small button: shows itself, lights up on the map, and can be taken. */

import { html, useEffect, useState, useValue } from "narrows/page/html";
import { className } from "narrows/dots/hovercard";
import { Picture } from "narrows/draw/picture";
import { classColour, css } from "narrows/draw/draw";

/**
 * @param {{studio: any, run: import("narrows/state/run").Run, index: number, onTake?: () => void, values?: Float32Array | null, stamp?: unknown}} given
 *   `values` shows something else than the object itself.
 */
export function ObjectTile({ studio, run, index, onTake, values, stamp }) {
  const [own, setOwn] = useState(/** @type {Float32Array | null} */ (null));
  const graph = useValue(run.graph);
  const dark = useValue(studio.dark);
  useEffect(() => {
    let wanted = true;
    if (!values) run.object(index).then((read) => wanted && setOwn(read), () => {});
    return () => (wanted = false);
  }, [run, index, values]);
  const label = run.labels.value?.[index] ?? -1;
  const name = className(run, index) || `object ${index}`;
  const light = (on) => () => (studio.hovered.value = on ? index : null);
  return html`<button type="button" class="thing" style=${{ "--of": css(classColour(label)) }} title=${`${name}, object ${index}`}
    aria-label=${`${name}, object ${index}`} onClick=${onTake} onPointerEnter=${light(true)} onPointerLeave=${light(false)}
    onFocus=${light(true)} onBlur=${light(false)}>
    <${Picture} look=${graph} values=${values ?? own} dark=${dark} stamp=${stamp} label=${name} />
  </button>`;
}
