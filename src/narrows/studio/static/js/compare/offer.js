/** What stands under the columns before anything was compared: what will be seen, and pairs to begin with. */

import { pairsFor, plan } from "narrows/compare/plan";
import { html, useState, useValue } from "narrows/page/html";

const SEEN = [
  ["How well each one does", "its error as it learns and against the size of its code, with PCA beside it"],
  ["What each one makes of the same objects", "twelve that neither has seen, and any one you point at"],
  ["How each one orders them", "a map a column, turned to match, with one object lit up in all"],
];

/** @param {{studio: any}} given */
export function Offer({ studio }) {
  const kind = useValue(() => plan.kindOf(studio));
  const [taken, setTaken] = useState("");
  const take = async ({ name, columns }) => {
    setTaken(name);
    await plan.take(studio, columns);
    setTaken("");
  };
  return html`<section class="offer" aria-label="What a comparison shows">
    <h2>Two to four networks learn the same thing, and you see which does it better</h2>
    <dl>${SEEN.map(([head, rest]) => html`<div key=${head}><dt>${head}</dt><dd>${rest}</dd></div>`)}</dl>
    <h3>Begin with a question</h3>
    <div class="pairs-to-take">${pairsFor(kind).map((pair) => html`<button type="button" key=${pair.name} class="card" disabled=${taken !== ""}
      onClick=${() => take(pair)}><b>${pair.name}</b><span>${pair.asks}</span>
      <small>${taken === pair.name ? "begins in a moment …" : "Train both"}</small></button>`)}</div>
  </section>`;
}
