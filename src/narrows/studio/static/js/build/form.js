/** Fields of a form built from the recipe's JSON Schema: what there is to choose, its limits and its words. */

import { Menu, Segments, short, Slider } from "narrows/page/controls";
import { html, useState } from "narrows/page/html";

/**
 * @typedef {any} Schema A JSON Schema, or a part of one.
 * @typedef {{name: string, title: string, words: string, kind: "choice"|"switch"|"number"|"whole"|"text", choices: string[],
 *   low: number, high: number, empty: boolean}} Field `empty`: null is a value too.
 */

/** What a reference points at. @param {Schema} schema @param {Schema} part @returns {Schema} */
export const meant = (schema, part) => (part?.$ref ? meant(schema, schema.$defs[part.$ref.split("/").pop()]) : part);

/**
 * The kinds of a part of the recipe and the schema of each.
 * @param {Schema} schema The schema of the recipe. @param {string} part "network", "bottleneck" or "corruption".
 * @returns {Record<string, Schema>}
 */
export function kindsOf(schema, part) {
  const { mapping = {} } = schema?.properties?.[part]?.discriminator ?? {};
  return Object.fromEntries(Object.entries(mapping).map(([kind, ref]) => [kind, meant(schema, { $ref: ref })]));
}

/** The first sentence of a description. @param {Schema} part */
export const wordsOf = (part) => (part?.description ?? "").split(/\n\s*\n/)[0].replaceAll("\n", " ");

/**
 * The fields of a schema that can be filled in.
 * @param {Schema} schema @param {Schema} part @param {string[]} [without]
 * @returns {Field[]}
 */
export function fieldsOf(schema, part, without = []) {
  const named = Object.entries(part?.properties ?? {}).filter(([name]) => name !== "kind" && !without.includes(name));
  return named.map(([name, property]) => fieldOf(name, property, schema)).filter((field) => field !== null);
}

/** @param {string} name @param {Schema} property @param {Schema} schema @returns {Field | null} */
function fieldOf(name, property, schema) {
  const options = (property.anyOf ?? [property]).map((option) => meant(schema, option));
  const main = options.find((option) => option.type !== "null");
  const kind = main?.enum ? "choice" : KINDS[main?.type];
  if (!kind) return null;
  return {
    name, kind, title: name.replaceAll("_", " "), words: wordsOf(property), choices: main.enum ?? [], empty: options.length > 1,
    low: main.minimum ?? main.exclusiveMinimum ?? 0, high: main.maximum ?? main.exclusiveMaximum ?? Infinity,
  };
}

/** @type {Record<string, "switch"|"number"|"whole"|"text">} */
const KINDS = { boolean: "switch", number: "number", integer: "whole", string: "text" };

/** @param {{fields: Field[], values: any, onChange: (name: string, value: any) => void, kind?: string}} given */
export function Fields({ fields, values, onChange, kind = "" }) {
  return html`<div class="form-fields">${fields.map((field) => html`<${Entry} key=${field.name} field=${field}
    value=${values?.[field.name]} kind=${kind} onChange=${(value) => onChange(field.name, value)} />`)}</div>`;
}

/** @param {{field: Field, value: any, kind: string, onChange: (value: any) => void}} given */
function Entry({ field, value, kind, onChange }) {
  const { title, words } = field;
  return html`<div class="form-field" title=${words}><span
    class="field-name">${title}</span>${ENTRIES[field.kind]({ field, value, kind, onChange })}</div>`;
}

/** @type {Record<Field["kind"], (given: {field: Field, value: any, kind: string, onChange: (value: any) => void}) => any>} */
const ENTRIES = {
  choice: ({ field, value, onChange }) => {
    const choices = field.choices.map((choice) => ({ value: choice, label: choice }));
    const Chooser = choices.length > 3 ? Menu : Segments;
    return html`<${Chooser} label=${field.title} choices=${choices} value=${value} onChange=${onChange} />`;
  },
  switch: ({ field, value, onChange }) => html`<${Segments} label=${field.title} value=${Boolean(value)} onChange=${onChange}
    choices=${[{ value: false, label: "no" }, { value: true, label: "yes" }]} />`,
  number: ({ field, value, onChange }) => html`<${Typed} field=${field} value=${value} onChange=${onChange} step="any" />`,
  whole: ({ field, value, onChange }) => html`<${Typed} field=${field} value=${value} onChange=${onChange} step="1" />`,
  text: ({ field, value, onChange }) => html`<input type="text" aria-label=${field.title} value=${value ?? ""}
    onChange=${(event) => onChange(event.currentTarget.value || (field.empty ? null : ""))} />`,
};

/**
 * A number that is typed; what is out of range stays with the reader, and says so.
 * @param {{field: Field, value: any, step: string, onChange: (value: any) => void}} given
 */
function Typed({ field, value, step, onChange }) {
  const [wrong, setWrong] = useState(false);
  const take = (event) => {
    const input = event.currentTarget;
    const empty = input.value === "";
    const fine = empty ? field.empty : input.validity.valid && Number.isFinite(input.valueAsNumber);
    setWrong(!fine);
    if (fine) onChange(empty ? null : input.valueAsNumber);
  };
  return html`<input type="number" aria-label=${field.title} aria-invalid=${wrong} placeholder=${field.empty ? "none" : ""} min=${field.low}
    max=${Number.isFinite(field.high) ? field.high : undefined} step=${step} value=${value ?? ""} onChange=${take} />
    ${wrong && html`<small role="alert">${limitsText(field)}</small>`}`;
}

/** @param {Field} field */
const limitsText = ({ low, high }) => (Number.isFinite(high) ? `from ${short(low)} to ${short(high)}` : `${short(low)} or more`);

/**
 * Stops of a slider from `low` to `high`: powers of two and what lies halfway between.
 * @param {number} low
 * @param {number} high
 */
export function doublings(low, high) {
  const stops = [];
  for (let stop = 1; stop <= high; stop *= 2) {
    if (stop >= low) stops.push(stop);
    const between = stop * 1.5;
    if (Number.isInteger(between) && between >= low && between < high) stops.push(between);
  }
  if (stops.at(-1) !== high) stops.push(high);
  return stops;
}

/** Numbers of one digit that matter, 1, 2, 5 of each power of ten. @param {number} low @param {number} high */
export function decades(low, high) {
  const stops = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    stops.push(...[1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  }
  return stops.filter((stop) => stop >= low * 0.999 && stop <= high * 1.001);
}

/**
 * A slider over stops with its name before it.
 * @param {{label: string, value: number, stops: number[], show?: (value: number) => string, onInput: (value: number) => void, kind?: string}} given
 */
export function Knob({ label, value, stops, show = short, onInput, kind = "" }) {
  return html`<div class="knob"><span class="field-name">${label}<b>${show(value)}</b></span>
    <${Slider} label=${label} value=${value} stops=${stops} show=${show} onInput=${onInput} kind=${kind} ends=${false} /></div>`;
}
