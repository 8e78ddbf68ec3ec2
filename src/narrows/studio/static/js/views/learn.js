/** Learn: a guided tour bound to the page's own state. */

import { html } from "narrows/page/html";
import { Tour } from "narrows/learn/tour";

/** @param {{studio: import("narrows/state/studio").Studio}} given */
export function View({ studio }) {
  return html`<${Tour} studio=${studio} />`;
}
