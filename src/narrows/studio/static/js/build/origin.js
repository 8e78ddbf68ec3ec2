/** Where a value comes from: the arithmetic of one number, term by term. */

import { valueOf } from "narrows/build/columns";
import { short } from "narrows/page/controls";
import { explain, strongest } from "narrows/nn/explain";
import { field } from "narrows/nn/field";
import { html, useValue } from "narrows/page/html";
import { open } from "narrows/build/hourglass";
import { FieldPicture } from "narrows/build/fieldpicture";

const TERMS = 5;

/**
 * @param {{studio: any, glass: import("narrows/build/glass").Glass, graph: any, column: any, hit: import("narrows/build/plates").Hit}} given
 */
export function Origin({ studio, glass, graph, column, hit }) {
  useValue(glass.seen);
  const dark = useValue(studio.dark);
  if (!glass.ready || glass.model.graph !== graph) return null;
  const { index } = valueOf(column, hit);
  const origin = explain(glass.model, column.layer.name, index);
  if (!origin) return null;
  return html`<figure class="origin"><figcaption>where this value comes from · <button type="button" class="plain small"
    onClick=${() => open(glass, column.name)}>back to the weights</button></figcaption>
    <div class="origin-body">
      <${FieldPicture} graph=${graph} values=${glass.model.trace.object} mask=${field(graph, column.layer.name, index)} dark=${dark}
        stamp=${glass.seen.peek()} />
      ${origin.memory ? html`<${Memory} origin=${origin} />` : html`<${Sum} origin=${origin} />`}
    </div></figure>`;
}

/** @param {{origin: import("narrows/nn/explain").Origin}} given */
function Sum({ origin }) {
  const { terms, bias, sum, activation, value } = origin;
  if (!terms) return html`<p class="number">${tidy(value)}</p>`;
  const most = strongest(terms, TERMS);
  const rest = terms.product.length - most.length;
  const others = terms.product.reduce((all, one) => all + one, 0) - most.reduce((all, one) => all + one.product, 0);
  return html`<table class="terms"><thead><tr><th>value before</th><th>weight</th><th>product</th></tr></thead><tbody>
      ${most.map((term) => html`<tr
        key=${term.index}><td>${tidy(term.value)}</td><td>× ${tidy(term.weight)}</td><td>${tidy(term.product)}</td></tr>`)}
      ${rest > 0 && html`<tr><td colspan="2">${rest.toLocaleString("en")} smaller ones</td><td>${tidy(others)}</td></tr>`}
      ${bias !== undefined && html`<tr><td colspan="2">bias</td><td>${tidy(bias)}</td></tr>`}
      <tr class="total"><td colspan="2">sum</td><td>${tidy(sum)}</td></tr>
      ${activation && activation !== "identity" && html`<tr><td colspan="2">${activation} of it</td><td><b>${tidy(value)}</b></td></tr>`}
    </tbody></table>`;
}

/** What a unit of memory did at one step. @param {{origin: import("narrows/nn/explain").Origin}} given */
function Memory({ origin }) {
  const { memory, value } = origin;
  if (!memory) return null;
  return html`<table class="terms"><caption>step ${memory.step + 1}, ${memory.backward ? "read backwards" : "read forwards"}</caption>
    <thead><tr><th>gate</th><th>from input</th><th>from memory</th><th>opens</th></tr></thead><tbody>
      ${memory.gates.map((gate) => html`<tr
        key=${gate.name}><td>${gate.name}</td><td>${tidy(gate.fromInput)}</td><td>${tidy(gate.fromHidden)}</td><td><b>${tidy(gate.value)}</b></td></tr>`)}
      <tr class="total"><td colspan="3">cell = forget × ${tidy(memory.before)} + input × candidate</td><td>${tidy(memory.cell)}</td></tr>
      <tr><td colspan="3">output × tanh of the cell</td><td><b>${tidy(value)}</b></td></tr>
    </tbody></table>`;
}

/** @param {number | undefined} number */
const tidy = (number) => (number === undefined ? "–" : short(Math.abs(number) < 5e-4 ? 0 : Math.round(number * 1000) / 1000));
