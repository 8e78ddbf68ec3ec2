/** What a trained run can be used for: each use is a panel, shown where the run is fit for it. */

import { Reconstruct } from "narrows/use/reconstruct";

/**
 * @typedef {import("narrows/state/studio").Studio} Studio
 * @typedef {import("narrows/state/run").Run} Run
 * @typedef {{studio: Studio, run: Run, upload: File[] | null}} PanelGiven `upload`: files that were just dropped.
 * @typedef {{name: string, title: string, accepts: string[], needs: string, Panel: (given: PanelGiven) => any}} Panel
 *   `accepts`: kinds of objects whose runs it works with; `needs`: the same in words.
 */

/** @type {Panel[]} */
export const PANELS = [
  {
    name: "reconstruct",
    title: "Reconstruct my own",
    accepts: ["image", "series", "table", "spectrum", "sound"],
    needs: "a run with at least one snapshot",
    Panel: Reconstruct,
  },
];
