/** How the page is written: htm's `html`, preact's hooks, and signals that redraw a component. */

import { effect } from "@preact/signals-core";
import htm from "htm";
import { h, options } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { onFrame } from "narrows/page/beat";

export { render } from "preact";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** A template as elements: `html`<p>${words}</p>``. */
export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */ (htm.bind(h));

// Components are redrawn in the frame's own budget, not in between.
options.debounceRendering = onFrame;

/**
 * The value of a signal, or of a function of signals; the component is redrawn when it changes.
 * @template T
 * @param {import("@preact/signals-core").ReadonlySignal<T> | (() => T)} source
 * @param {unknown[]} [inputs] What else the function depends on.
 * @returns {T}
 */
export function useValue(source, inputs = []) {
  const read = typeof source === "function" ? source : () => source.value;
  const value = typeof source === "function" ? source() : source.peek();
  const shown = useRef(value);
  const [, redraw] = useState(0);
  shown.current = value;
  useEffect(
    () =>
      effect(() => {
        const next = read();
        if (next !== shown.current) {
          shown.current = next;
          redraw((n) => n + 1);
        }
      }),
    typeof source === "function" ? inputs : [source],
  );
  return value;
}

/**
 * The width of an element in CSS pixels, 0 until it is there.
 * @param {{current: HTMLElement | null}} element
 */
export function useWidth(element) {
  const [width, setWidth] = useState(0);
  const watched = useRef(/** @type {{element: HTMLElement, watcher: ResizeObserver} | null} */ (null));
  useLayoutEffect(() => {
    if (watched.current?.element === element.current) return;
    watched.current?.watcher.disconnect();
    watched.current = element.current && { element: element.current, watcher: widthWatcher(element.current, setWidth) };
  });
  useEffect(() => () => watched.current?.watcher.disconnect(), []);
  return width;
}

/** @param {HTMLElement} element @param {(width: number) => void} tell */
function widthWatcher(element, tell) {
  const watcher = new ResizeObserver(([entry]) => tell(Math.round(entry.contentRect.width)));
  watcher.observe(element);
  tell(Math.round(element.clientWidth));
  return watcher;
}
