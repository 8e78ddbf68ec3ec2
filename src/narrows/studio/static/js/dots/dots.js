/** A stage for dots: in a worker where the browser lets one draw, else in the page; the same messages either way. */

import { onFrame } from "narrows/page/beat";
import { Splat } from "narrows/dots/splat";
import { Stage } from "narrows/dots/stage";

/** @returns {Worker | null} A worker that can draw, or null: an exported file has no place to load one from. */
function drawer() {
  if (!("OffscreenCanvas" in window) || !HTMLCanvasElement.prototype.transferControlToOffscreen) return null;
  try {
    const address = new URL("splat-worker.js", import.meta.url);
    return address.protocol.startsWith("http") ? new Worker(address, { type: "module" }) : null;
  } catch {
    return null;
  }
}

export class Dots {
  /** @param {HTMLCanvasElement} canvas A fresh one: it is handed over. */
  constructor(canvas) {
    this.worker = drawer();
    /** Milliseconds that the last painting took. */
    this.cost = 0;
    /** Where the painting is done, for whoever measures it. */
    this.place = this.worker ? "worker" : "page";
    /** @type {import("./stage.js").Change} */
    this.waiting = {};
    this.send = this.send.bind(this);
    if (this.worker) this.open(canvas.transferControlToOffscreen());
    else this.stage = new Stage(canvas, new Splat(), (ms) => (this.cost = ms), onFrame);
  }

  /** @param {OffscreenCanvas} canvas */
  open(canvas) {
    this.worker.onmessage = ({ data }) => (this.cost = data);
    this.worker.postMessage({ canvas }, [canvas]);
  }

  /** Change what is drawn; several changes of one frame become one. @param {import("./stage.js").Change} change */
  change(change) {
    Object.assign(this.waiting, change);
    onFrame(this.send);
  }

  send() {
    const change = this.waiting;
    this.waiting = {};
    if (this.stage) return this.stage.change(change);
    // Points are large and new each time: a copy is given away rather than cloned.
    const gifts = [];
    if (change.xy) gifts.push((change.xy = change.xy.slice()).buffer);
    this.worker?.postMessage(change, gifts);
  }

  close() {
    this.worker?.terminate();
    this.worker = null;
  }
}
