/** A projection that the server works out when asked: where it is, and how far the asking has come. */

import { effect, signal } from "@preact/signals-core";
import { api } from "narrows/state/api";
import { placed, unpack } from "narrows/state/frames";

export class Projection {
  /** @param {any} studio @param {"tsne" | "pca"} kind */
  constructor(studio, kind) {
    this.studio = studio;
    this.kind = kind;
    /** @type {import("@preact/signals-core").Signal<import("narrows/state/run").Points | null>} */
    this.points = signal(null);
    /** "", "working", or a sentence that says why there is none. */
    this.state = signal("");
    effect(() => this.hear(studio.live.news.value));
    effect(() => {
      const [run, wished] = [studio.run.value, studio.projection.value];
      this.points.value = null;
      if (wished === kind && run?.graph.value?.code) void this.ask(run);
    });
  }

  /** What there is already, or else a new one. @param {import("narrows/state/run").Run} run */
  async ask(run) {
    this.state.value = "working";
    if (!(await this.read(run))) await this.anew();
  }

  /** It may be asked for soon: the server makes itself ready where there is none yet. */
  foresee() {
    const run = this.studio.run.peek();
    if (run && !this.points.peek() && !this.state.peek()) void api.bytes(`runs/${run.id}/points?projection=${this.kind}`).catch(() => null);
  }

  /** Have it worked out again, by the weights of now. */
  async anew() {
    const run = this.studio.run.peek();
    this.state.value = "working";
    try {
      await api.post(`runs/${run.id}/project`, { kind: this.kind });
    } catch (problem) {
      this.state.value = problem instanceof Error ? problem.message : String(problem);
    }
  }

  /** @param {import("narrows/state/run").Run} run @returns {Promise<boolean>} */
  async read(run) {
    const bytes = await api.bytes(`runs/${run.id}/points?projection=${this.kind}`).catch(() => null);
    if (!bytes?.byteLength || run !== this.studio.run.peek()) return false;
    const frame = /** @type {import("narrows/state/frames").PointsFrame} */ (unpack(bytes));
    this.points.value = { ...frame, packed: frame.xy, xy: placed(frame) };
    this.state.value = "";
    return true;
  }

  /** @param {any} message */
  hear(message) {
    const run = this.studio.run.peek();
    if (message?.type !== "projected" || message.id !== run?.id || message.kind !== this.kind) return;
    if (!message.ok) this.state.value = message.sentence ?? "It could not be worked out.";
    else void this.read(run);
  }
}
