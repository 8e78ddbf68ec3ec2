/** One stop of the story on the left: a dot on the line, a title, what is chosen, and its knobs. */

import { html, useState } from "narrows/page/html";

const PHONE = "(max-width: 640px)";

/** @param {{title: string, aside?: any, kind?: string, children?: any, folded?: boolean}} given `folded` begins closed. */
export function Station({ title, aside = "", kind = "", children, folded }) {
  const [open, setOpen] = useState(!folded && !matchMedia(PHONE).matches);
  const name = `station-${title.toLowerCase()}`;
  const heading = html`<span class="station-title">${title}</span><span class="aside">${aside}</span>`;
  return html`<section class="station ${kind} ${open ? "open" : ""}" aria-labelledby=${name}>
    <h2 id=${name}><button type="button" class="plain" aria-expanded=${open} onClick=${() => setOpen(!open)}>${heading}</button></h2>
    <div class="station-body" hidden=${!open}>${children}</div>
  </section>`;
}
