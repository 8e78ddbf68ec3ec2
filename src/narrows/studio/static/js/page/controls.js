/** The pieces of a form: each one reachable by keyboard and named for those who do not see it. */

import { html, useEffect, useRef, useState } from "narrows/page/html";

/** @typedef {{value: any, label: string, title?: string, off?: boolean}} Choice */

/**
 * A few choices side by side; arrow keys go along them.
 * @param {{label: string, choices: Choice[], value: any, onChange: (value: any) => void, kind?: string}} given
 */
export function Segments({ label, choices, value, onChange, kind = "" }) {
  const move = (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const open = choices.filter((choice) => !choice.off);
    const at = open.findIndex((choice) => choice.value === value);
    const next = open[(at + by + open.length) % open.length];
    onChange(next.value);
    const all = event.currentTarget.querySelectorAll("button");
    all[choices.indexOf(next)]?.focus();
  };
  const chosen = choices.some((choice) => choice.value === value);
  return html`<div class="segments ${kind}" role="radiogroup" aria-label=${label} onKeyDown=${move}>
    ${choices.map(
      (choice, i) =>
        html`<button type="button" role="radio" aria-checked=${choice.value === value} title=${choice.title}
          disabled=${choice.off} tabindex=${choice.value === value || (!chosen && i === 0) ? 0 : -1}
          onClick=${() => onChange(choice.value)}>${choice.label}</button>`,
    )}
  </div>`;
}

/**
 * A slider over whole or broken numbers, or over a list of stops.
 * @param {{label: string, value: number, min?: number, max?: number, step?: number, stops?: number[],
 *   show?: (value: number) => string, onInput: (value: number) => void, kind?: string, ends?: boolean}} given
 */
export function Slider({ label, value, min = 0, max = 1, step = 1, stops, show = String, onInput, kind = "", ends = true }) {
  const range = stops ? { min: 0, max: stops.length - 1, step: 1 } : { min, max, step };
  const at = stops ? nearest(stops, value) : value;
  const share = range.max > range.min ? (at - range.min) / (range.max - range.min) : 0;
  const take = (event) => onInput(stops ? stops[event.currentTarget.valueAsNumber] : event.currentTarget.valueAsNumber);
  return html`<div class="slider ${kind}">
    <input type="range" aria-label=${label} aria-valuetext=${show(value)} ...${range} value=${at}
      style=${{ "--share": share }} onInput=${take} />
    ${ends &&
    html`<div class="ends" aria-hidden="true">
      <span>${show(stops ? stops[0] : min)}</span><span class="now">${show(value)}</span>
      <span>${show(stops ? stops[stops.length - 1] : max)}</span>
    </div>`}
  </div>`;
}

/** @param {number[]} stops @param {number} value */
function nearest(stops, value) {
  return stops.reduce((best, stop, i) => (Math.abs(stop - value) < Math.abs(stops[best] - value) ? i : best), 0);
}

/**
 * A number with a smaller and a larger button.
 * @param {{label: string, value: number, min: number, max: number, next?: (value: number, by: number) => number,
 *   onChange: (value: number) => void}} given `next` finds the neighbour; else it doubles or halves.
 */
export function Stepper({ label, value, min, max, next = doubled, onChange }) {
  const to = (by) => onChange(Math.min(max, Math.max(min, next(value, by))));
  return html`<span class="stepper" role="group" aria-label=${label}>
    <button type="button" aria-label="${label}: less" disabled=${value <= min} onClick=${() => to(-1)}>−</button>
    <output>${value}</output>
    <button type="button" aria-label="${label}: more" disabled=${value >= max} onClick=${() => to(1)}>+</button>
  </span>`;
}

/** @param {number} value @param {number} by */
const doubled = (value, by) => (by > 0 ? value * 2 : Math.floor(value / 2));

/**
 * One of many choices, as the system's own list.
 * @param {{label: string, choices: Choice[], value: any, onChange: (value: string) => void}} given
 */
export function Menu({ label, choices, value, onChange }) {
  return html`<select class="menu" aria-label=${label} value=${value} onChange=${(event) => onChange(event.currentTarget.value)}>
    ${choices.map(
      (choice) =>
        html`<option value=${choice.value} disabled=${choice.off} selected=${choice.value === value}>${choice.label}</option>`,
    )}
  </select>`;
}

/**
 * A button that copies a text and says so.
 * @param {{text: () => string | null, children?: any, title?: string, kind?: string}} given
 */
export function Copy({ text, children, title, kind = "" }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    const words = text();
    if (words !== null) await toClipboard(words).then(setDone);
  };
  return html`<button type="button" class=${kind} title=${title} onClick=${copy} disabled=${text() === null}>
    <span aria-live="polite">${done ? "Copied" : children}</span>
  </button>`;
}

/** @param {string} words */
async function toClipboard(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    // Pages that are not from this machine (or from a file) may not write the clipboard directly.
    return copyBySelection(words);
  }
}

/** @param {string} words */
function copyBySelection(words) {
  const area = document.createElement("textarea");
  area.value = words;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/**
 * A button that asks for files; they may also be dropped on it.
 * @param {{label: string, accept?: string, multiple?: boolean, onFiles: (files: File[]) => void, children?: any, kind?: string}} given
 */
export function FileDrop({ label, accept = "", multiple = false, onFiles, children, kind = "" }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [over, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  };
  const hover = (event) => (event.preventDefault(), setOver(true));
  return html`<div class="drop ${kind} ${over ? "over" : ""}" onDragOver=${hover} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <button type="button" onClick=${() => input.current?.click()}>${label}</button>
    ${children}
    <input ref=${input} type="file" hidden accept=${accept} multiple=${multiple} aria-label=${label}
      onChange=${(event) => {
        onFiles([...event.currentTarget.files]);
        event.currentTarget.value = "";
      }} />
  </div>`;
}

/**
 * A number as the studio writes it: three digits that matter, no leading zero before the point.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size < 1e-5) return value.toExponential(1);
  const digits = size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : size >= 0.001 ? 4 : size >= 1e-4 ? 5 : 6;
  return value.toFixed(digits).replace(/^(-?)0\./, "$1.");
}

/** Objects in words: "1,797 pictures". @param {number} count @param {string} kind */
export function counted(count, kind) {
  const [one, many] = NOUNS[kind] ?? ["object", "objects"];
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** @type {Record<string, [string, string]>} */
export const NOUNS = {
  image: ["picture", "pictures"],
  series: ["series", "series"],
  table: ["row", "rows"],
  spectrum: ["spectrum", "spectra"],
  sound: ["sound", "sounds"],
};
