/**
 * Between objects: a way from A to B played as a film, and A - B + C. Three places to put objects into; while one of
 * them is armed, a click on a dot, or on a picture beside the map, fills it.
 */

import { batch, computed, effect, signal } from "@preact/signals-core";
import { handOf } from "narrows/dots/hand";
import { html, useEffect, useValue } from "narrows/page/html";
import { Picture } from "narrows/draw/picture";
import { ObjectTile } from "narrows/map/tile";
import { twinOf } from "narrows/dots/hovercard";

const FRAMES = 9;
const FILM_MS = 2600;
const STEPS = 24;
const NAMES = /** @type {const} */ (["A", "B", "C"]);
const HOW = "Put objects into A and B to walk from one to the other; with C, A − B + C.";

/** What is in the three places, which one waits, and how far along the way one is: 0..1. */
export const journey = {
  slots: signal(/** @type {(number | null)[]} */ ([null, null, null])),
  armed: signal(/** @type {number | null} */ (null)),
  along: signal(0),
  playing: signal(false),
  /** Codes of the three, where known. */
  codes: signal(/** @type {(Float32Array | null)[]} */ ([null, null, null])),
  /** The way as places of the map. */
  path: signal(/** @type {{x: number, y: number}[]} */ ([])),
  /** Put a picked object into the armed place; whether there was one. @param {number} i */
  take(i) {
    const armed = journey.armed.value;
    if (armed === null) return false;
    batch(() => {
      journey.slots.value = journey.slots.value.map((old, n) => (n === armed ? i : old));
      const free = journey.slots.value.indexOf(null);
      journey.armed.value = free >= 0 && free < 2 ? free : null;
    });
    return true;
  },
};

const both = computed(() => journey.codes.value[0] && journey.codes.value[1]);

/** @param {Float32Array} a @param {Float32Array} b @param {number} share */
const between = (a, b, share) => a.map((value, d) => value + (b[d] - value) * share);

/** @param {{studio: any, run: import("narrows/state/run").Run}} given */
export function Journey({ studio, run }) {
  const hand = handOf(studio);
  const slots = useValue(journey.slots);
  const armed = useValue(journey.armed);
  useCodes(run, slots);
  useEffect(() => effect(() => (journey.path.value = pathOf(hand.plane.value))), [hand]);
  useEffect(() => () => ((journey.playing.value = false), (journey.armed.value = null)), []);
  const ready = useValue(both);
  const clear = () => batch(() => ((journey.slots.value = [null, null, null]), (journey.armed.value = null)));
  return html`<section class="journey">
    <div class="heading"><h2>Between objects</h2>
      ${slots.some((slot) => slot !== null) && html`<button type="button" class="plain" onClick=${clear}>clear</button>`}</div>
    <div class="slots">${NAMES.map((name, n) => html`<${Slot} key=${name} name=${name} n=${n} index=${slots[n]} armed=${armed === n} studio=${studio} run=${run} />`)}</div>
    <p class="caption">${armed !== null ? `Click a dot or a picture: it becomes ${NAMES[armed]}.` : ready ? "" : HOW}</p>
    ${ready && html`<${Film} studio=${studio} run=${run} hand=${hand} />`}
    ${ready && slots[2] !== null && html`<${Sum} studio=${studio} run=${run} hand=${hand} />`}
  </section>`;
}

function Slot({ name, n, index, armed, studio, run }) {
  const arm = () => (journey.armed.value = armed ? null : n);
  const fill = () => (journey.armed.value === null ? arm() : journey.take(studio.object.value ?? 0));
  return html`<div class="slot ${armed ? "armed" : ""}">
    <button type="button" class="letter" aria-pressed=${armed} title=${`Choose ${name} on the map`} onClick=${arm}>${name}</button>
    ${index === null
      ? html`<button type="button" class="thing hollow" onClick=${arm} aria-label=${`choose ${name} on the map`}>${armed ? "…" : "+"}</button>`
      : html`<${ObjectTile} studio=${studio} run=${run} index=${index} onTake=${arm} />`}
    ${armed && html`<button type="button" class="plain" onClick=${fill}>the chosen</button>`}
  </div>`;
}

/** Keep the codes of the three objects, anew with each snapshot. */
function useCodes(run, slots) {
  const weights = useValue(run.weights);
  useEffect(() => {
    let wanted = true;
    const codeOf = async (i) => (i === null || !twinOf(run) ? null : twinOf(run).encode(await run.object(i)).z.slice());
    Promise.all(slots.map(codeOf)).then((codes) => wanted && (journey.codes.value = codes), () => {});
    return () => (wanted = false);
  }, [run, slots, weights]);
}

/** The way on the map; where the map is bent, a bent line. */
function pathOf(plane) {
  const [a, b] = journey.codes.value;
  if (!a || !b || !plane) return [];
  return Array.from({ length: STEPS + 1 }, (_, n) => plane.placeOf(between(a, b, n / STEPS)));
}

/** The way as a strip of pictures, a slider and a film. */
function Film({ studio, run, hand }) {
  const along = useValue(journey.along);
  const playing = useValue(journey.playing);
  const codes = useValue(journey.codes);
  const graph = useValue(run.graph);
  const dark = useValue(studio.dark);
  const go = (share) => {
    journey.along.value = share;
    hand.hold(between(codes[0], codes[1], share));
  };
  useEffect(() => {
    if (!playing) return undefined;
    return roll(journey.along.peek(), (share) => go(share));
  }, [playing, codes]);
  const twin = twinOf(run);
  const strip = Array.from({ length: FRAMES }, (_, n) => twin.decode(between(codes[0], codes[1], n / (FRAMES - 1))).y.slice());
  return html`<div class="film">
    <div class="frames">${strip.map((values, n) => html`<button type="button" class="thing" aria-label=${`${Math.round((100 * n) / (FRAMES - 1))} % of the way`}
      onClick=${() => go(n / (FRAMES - 1))}><${Picture} key=${n} look=${graph} values=${values} dark=${dark} label="" /></button>`)}</div>
    <div class="controls"><button type="button" aria-pressed=${playing} onClick=${() => (journey.playing.value = !playing)}>${playing ? "Stop" : "Film"}</button>
      <label class="slider code"><input type="range" aria-label="along the way from A to B" min="0" max="1" step="0.005" value=${along} style=${{ "--share": along }}
        onInput=${(event) => go(event.currentTarget.valueAsNumber)} /></label></div>
  </div>`;
}

/** There and back again, until it is stopped. @param {number} from @param {(share: number) => void} show */
function roll(from, show) {
  const began = performance.now() - from * FILM_MS;
  let asked = requestAnimationFrame(function next(now) {
    const turn = ((now - began) / FILM_MS) % 2;
    show(Math.max(0, turn < 1 ? turn : 2 - turn));
    asked = requestAnimationFrame(next);
  });
  return () => cancelAnimationFrame(asked);
}

/** A - B + C. */
function Sum({ studio, run, hand }) {
  const [a, b, c] = useValue(journey.codes);
  const graph = useValue(run.graph);
  const dark = useValue(studio.dark);
  if (!a || !b || !c) return null;
  const code = a.map((value, d) => value - b[d] + c[d]);
  const values = twinOf(run).decode(code).y.slice();
  return html`<div class="sum"><b>A − B + C</b>
    <button type="button" class="thing" title="Hold this code" aria-label="Hold the code A - B + C" onClick=${() => hand.hold(code)}>
      <${Picture} look=${graph} values=${values} dark=${dark} label="A - B + C" /></button></div>`;
}
