/** Learn: a guided tour bound to the page's own state. */

import { html } from "narrows/html";
import { Tour } from "narrows/tour";

/** @param {{studio: import("narrows/studio").Studio}} given */
export function View({ studio }) {
  return html`<${Tour} studio=${studio} />`;
}
