/** The live connection: updates and frames as they come, the newest only, acknowledged once painted. */

import { batch, signal } from "@preact/signals-core";
import { afterFrame, onFrame, timed } from "narrows/page/beat";
import { unpack } from "narrows/state/frames";
import { Run } from "narrows/state/run";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const WANT = ["points", "weights", "tiles"];

export class Live {
  constructor() {
    /** @type {Map<string, Run>} */
    this.known = new Map();
    /** "connecting", "open" or "lost". */
    this.link = signal("connecting");
    /** @type {string[]} */
    this.watched = [];
    this.wait = FIRST_WAIT_MS;
    /** @type {{update: any, frames: ArrayBuffer[]} | null} */
    this.arriving = null;
    /** What else the server said last, such as {type: "projected", id, kind, ok}. */
    this.news = signal(/** @type {any} */ (null));
    this.paint = this.paint.bind(this);
    this.acknowledge = this.acknowledge.bind(this);
  }

  /** The run of an id; the same object each time. @param {string} id */
  run(id) {
    let run = this.known.get(id);
    if (!run) this.known.set(id, (run = new Run(id)));
    return run;
  }

  connect() {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`;
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.link.value = "open";
      this.arriving = null;
      this.watch(this.watched);
    };
    socket.onmessage = timed((event) => this.hear(event.data));
    socket.onclose = () => this.again();
    this.socket = socket;
  }

  again() {
    this.link.value = "lost";
    setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
  }

  /** @param {string[]} runs Ids, in the order of their slots. */
  watch(runs) {
    this.watched = runs;
    if (runs.length) this.say({ type: "watch", runs, want: WANT });
  }

  /** @param {unknown} message */
  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** @param {string | ArrayBuffer} data */
  hear(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "update") this.arriving = { update: message, frames: [] };
      else this.news.value = message;
    } else this.arriving?.frames.push(data);
    if (this.arriving && this.arriving.frames.length >= (this.arriving.update.frames ?? 0)) onFrame(this.paint);
  }

  /** Give what came to its runs, in the frame that paints it. */
  paint() {
    const { update, frames } = this.arriving ?? {};
    if (!update) return;
    this.arriving = null;
    batch(() => {
      Object.entries(update.runs).forEach(([id, news]) => this.run(id).hear(news));
      frames.map(unpack).forEach((frame) => this.run(this.watched[frame.slot])?.take(frame));
    });
    afterFrame(this.acknowledge);
  }

  acknowledge() {
    this.say({ type: "ack" });
  }
}
