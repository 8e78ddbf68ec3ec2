/** A stage on a canvas of a worker, so that the page itself never pays for drawing dots. */

import { Splat } from "./splat.js";
import { Stage } from "./stage.js";

/** @type {Stage | null} */
let stage = null;

self.onmessage = ({ data: { canvas, ...change } }) => {
  if (canvas) stage = new Stage(canvas, new Splat(), (ms) => self.postMessage(ms), (task) => requestAnimationFrame(task));
  stage?.change(change);
};
