/** One object as a component. */

import { drawLost, drawObject } from "narrows/draw/draw";
import { html, useLayoutEffect, useRef } from "narrows/page/html";

/**
 * An object, or with `lost` what was lost between the two; painted anew when values or theme change.
 * @param {{look: import("narrows/draw/draw").Look, values: ArrayLike<number> | null, lost?: ArrayLike<number> | null,
 *   label: string, dark: boolean, stamp?: unknown, kind?: string}} given `stamp` changes when `values` changed in place.
 */
export function Picture({ look, values, lost = null, label, dark, stamp, kind = "" }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useLayoutEffect(() => {
    if (!canvas.current || !values) return;
    if (lost) drawLost(canvas.current, look, values, lost);
    else drawObject(canvas.current, look, values);
  }, [look, values, lost, dark, stamp]);
  return html`<canvas ref=${canvas} class="picture ${look.kind} ${kind}" role="img" aria-label=${label}></canvas>`;
}

/**
 * An object with words under it: what a `Picture` takes, and the words as children.
 * @param {Parameters<typeof Picture>[0] & {children?: any}} given
 */
export function Figure({ children, ...given }) {
  return html`<figure><${Picture} ...${given} /><figcaption>${children}</figcaption></figure>`;
}
