/** A small picture beside the held code: what the decoder makes of that place. */

import { effect } from "@preact/signals-core";
import { drawObject } from "narrows/draw/draw";
import { handOf } from "narrows/dots/hand";
import { html, useLayoutEffect, useRef } from "narrows/page/html";

const GAP = 16;

/** @param {{studio: any, place: () => ({x: number, y: number, width: number, height: number} | null)}} given */
export function Lens({ studio, place }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useLayoutEffect(() => {
    const hand = handOf(studio);
    return effect(() => {
      const [values, moved] = [hand.output.value, hand.moved.value];
      const graph = studio.run.value?.graph.value;
      const camera = studio.camera.value;
      void [camera, studio.dark.value, hand.at.value];
      const spot = moved && values && graph ? place() : null;
      box.current.hidden = !spot || spot.x < 0 || spot.y < 0 || spot.x > spot.width || spot.y > spot.height;
      if (box.current.hidden) return;
      canvas.current.className = `picture ${graph.kind}`;
      drawObject(canvas.current, graph, values);
      beside(box.current, spot);
    });
  }, [studio]);
  return html`<div class="lens" ref=${box} hidden aria-hidden="true"><canvas class="picture" ref=${canvas}></canvas></div>`;
}

/**
 * Put an element beside a spot, inside the map.
 * @param {HTMLElement} element @param {{x: number, y: number, width: number, height: number}} spot
 */
export function beside(element, { x, y, width, height }, gap = GAP) {
  const [w, h] = [element.offsetWidth, element.offsetHeight];
  const left = x + gap + w > width - 4 ? x - gap - w : x + gap;
  const keep = (value, most) => Math.max(4, Math.min(most - 4, value));
  element.style.transform = `translate(${keep(left, width - w)}px, ${keep(y - h / 2, height - h)}px)`;
}
