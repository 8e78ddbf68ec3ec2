/** The code one holds: what the decoder makes of it, and a slider for each of its numbers. */

import { effect } from "@preact/signals-core";
import { shapeOf } from "narrows/draw/classes";
import { rangesOf } from "narrows/nn/codes";
import { short } from "narrows/page/controls";
import { drawLost, drawObject } from "narrows/draw/draw";
import { handOf } from "narrows/dots/hand";
import { className } from "narrows/dots/hovercard";
import { html, useLayoutEffect, useMemo, useRef, useState, useValue } from "narrows/page/html";
import { Mark } from "narrows/dots/legend";
import { PlayButton } from "narrows/map/play";

/** More sliders than this are unfolded on demand. */
const FEW = 8;
const MOST = 256;

/** @param {{studio: any, run: import("narrows/state/run").Run}} given */
export function Held({ studio, run }) {
  const hand = handOf(studio);
  const moved = useValue(hand.moved);
  const object = useValue(studio.object) ?? 0;
  const known = useValue(hand.output) !== null;
  useValue(run.labels);
  const label = run.labels.value?.[object] ?? -1;
  const name = className(run, object);
  return html`<section class="held">
    <div class="heading"><h2>${moved ? "A code of your own" : "The chosen object"}</h2>
      ${moved && html`<button type="button" class="plain" onClick=${() => (studio.override.value = {})}>let go</button>`}</div>
    <p class="from">${moved ? "begun from" : ""} ${name && html`<b><${Mark} index=${label} shape=${shapeOf(label)} /> ${name}</b>`} <span class="quiet">object ${object.toLocaleString("en")}</span></p>
    <${Pictures} studio=${studio} hand=${hand} moved=${moved} />
    <${PlayButton} studio=${studio} run=${run} hand=${hand} />
    ${known && html`<${Sliders} studio=${studio} hand=${hand} />`}
  </section>`;
}

/** Object, decoder's answer and what was lost: painted in the very event that moves the code. */
function Pictures({ studio, hand, moved }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(
    () =>
      effect(() => {
        const graph = studio.run.value?.graph.value;
        const [object, output] = [hand.object.value, hand.output.value];
        void studio.dark.value;
        const [first, second, third] = host.current.querySelectorAll("canvas");
        if (!graph) return;
        if (object) drawObject(first, graph, object);
        if (output) drawObject(second, graph, output);
        if (object && output) drawLost(third, graph, object, output);
      }),
    [studio, hand],
  );
  const kind = studio.run.value?.graph.value?.kind ?? "";
  const figure = (name) => html`<figure><canvas class="picture ${kind}" role="img" aria-label=${name}></canvas><figcaption>${name}</figcaption></figure>`;
  return html`<div class="three ${kind}" ref=${host}>${figure("object")}${figure(moved ? "decoded" : "rebuilt")}${figure(moved ? "difference" : "what was lost")}</div>`;
}

/** @param {{studio: any, hand: import("narrows/dots/hand").Hand}} given */
function Sliders({ studio, hand }) {
  const [open, setOpen] = useState(false);
  const code = useValue(hand.code);
  const known = useValue(() => hand.codes.value?.known.value ?? null);
  const ranges = useMemo(() => (known ? rangesOf(known) : null), [known]);
  if (!code || !ranges || ranges.length !== code.length) return null;
  const shown = Array.from(code.slice(0, open ? MOST : FEW));
  const set = (d, value) => (studio.override.value = { ...studio.override.value, [d]: value });
  return html`<div class="numbers">
    <div class="heading"><h3>Its ${code.length === 1 ? "number" : `${code.length} numbers`}</h3>
      ${code.length > FEW && html`<button type="button" class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>${open ? "fewer" : "all"}</button>`}</div>
    ${shown.map((value, d) => html`<${Dial} key=${d} d=${d} value=${value} ...${ranges[d]} onInput=${(next) => set(d, next)} />`)}
  </div>`;
}

/** @param {{d: number, value: number, low: number, high: number, onInput: (value: number) => void}} given */
function Dial({ d, value, low, high, onInput }) {
  const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
  return html`<label class="dial slider code"><span class="quiet">${d + 1}</span>
    <input type="range" aria-label=${`number ${d + 1} of the code`} min=${Math.min(low, value)} max=${Math.max(high, value)} step=${(high - low) / 400}
      value=${value} style=${{ "--share": share }} onInput=${(event) => onInput(event.currentTarget.valueAsNumber)} />
    <output>${short(value)}</output></label>`;
}
