/** What is to be set side by side: a network, a kind of bottleneck and a size of code for each column. */

import { batch, signal } from "@preact/signals-core";
import { api } from "narrows/state/api";

export const MOST = 4;
const QUIET_MS = 200;

/** @typedef {{network: string, bottleneck: string, size: number}} Column */

export const NETWORKS = [
  { value: "dense", label: "dense" },
  { value: "conv", label: "conv" },
  { value: "lstm", label: "LSTM" },
];

export const BOTTLENECKS = [
  { value: "plain", label: "plain" },
  { value: "variational", label: "variational" },
  { value: "sparse-topk", label: "sparse, top k" },
  { value: "sparse-l1", label: "sparse, L1" },
  { value: "contractive", label: "contractive" },
  { value: "fsq", label: "rounded (FSQ)" },
  { value: "vq", label: "code book (VQ)" },
];

export const SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

/** @type {{name: string, title: string, columns: (first: Column) => Column[]}[]} */
export const PRESETS = [
  { name: "Networks", title: "Dense, convolution and LSTM with the same code", columns: (first) => NETWORKS.map(({ value }) => ({ ...first, network: value })) },
  { name: "Sizes", title: "The same network with a code of 2, 8 and 32 numbers", columns: (first) => [2, 8, 32].map((size) => ({ ...first, size })) },
  {
    name: "Bottlenecks",
    title: "The same network with three kinds of bottleneck",
    columns: (first) => ["plain", "variational", "sparse-topk"].map((bottleneck) => ({ ...first, bottleneck, size: Math.max(8, first.size) })),
  },
];

/** @param {any} recipe @returns {Column} */
const columnOf = (recipe) => ({ network: recipe.network.kind, bottleneck: recipe.bottleneck.kind, size: recipe.bottleneck.size });

const columns = signal(/** @type {Column[]} */ ([]));
/** What the server makes of each column: {recipe, graph}, {why} or null while it is asked. */
const previews = signal(/** @type {any[]} */ ([]));
let asked = 0;
let timer = 0;
/** @type {any} */
let studioOf = null;

export const plan = {
  columns,
  previews,

  /** The recipe that the columns vary. @param {any} studio */
  baseOf(studio) {
    const recipe = studio.recipe.value;
    return recipe?.network?.kind && recipe?.training?.epochs && recipe?.data?.name ? recipe : (studio.preview.value?.recipe ?? null);
  },

  /** Begin with what is trained already, or with the three networks. @param {any} studio */
  begin(studio) {
    studioOf = studio;
    const trained = studio.watched.value.map((run) => run.detail.value?.recipe);
    const known = trained.length > 1 && trained.every(Boolean);
    const base = plan.baseOf(studio);
    const group = studio.runs.value.join();
    if (known && group !== plan.group) {
      plan.group = group;
      plan.set(trained.map(columnOf));
    } else if (base && !columns.peek().length) plan.preset(studio, "Networks");
    else if (base && JSON.stringify(base.data) !== plan.data) plan.set(columns.peek());
  },

  /** @param {any} studio @param {string} name */
  preset(studio, name) {
    const first = columnOf(plan.baseOf(studio));
    plan.set(PRESETS.find((one) => one.name === name).columns({ ...first, network: first.network === "unet" ? "dense" : first.network }));
  },

  /** @param {Column[]} next */
  set(next) {
    batch(() => {
      const before = columns.peek();
      columns.value = next;
      previews.value = next.map((column, n) => (same(column, before[n]) && plan.data === dataNow() ? (previews.peek()[n] ?? null) : null));
    });
    plan.data = dataNow();
    clearTimeout(timer);
    timer = window.setTimeout(() => void plan.ask(), QUIET_MS);
  },

  /** @param {number} n @param {Partial<Column>} change */
  change(n, change) {
    plan.set(columns.peek().map((column, i) => (i === n ? { ...column, ...change } : column)));
  },

  add() {
    const last = columns.peek().at(-1);
    plan.set([...columns.peek(), { ...last, size: SIZES.find((size) => size > last.size) ?? last.size }]);
  },

  /** @param {number} n */
  remove(n) {
    plan.set(columns.peek().filter((_, i) => i !== n));
  },

  /** Whether another comparison is planned than the one shown. @param {any} studio */
  changed(studio) {
    const trained = studio.watched.value.map((run) => run.detail.value?.recipe);
    if (trained.length !== columns.value.length || trained.some((recipe) => !recipe)) return trained.length > 1 && trained.every(Boolean);
    return columns.value.some((column, n) => !same(column, columnOf(trained[n])));
  },

  /** Ask the server for the whole recipe of each column that has none yet. */
  async ask() {
    const turn = (asked += 1);
    const base = plan.baseOf(studioOf);
    for (const [n, column] of columns.peek().entries()) {
      if (previews.peek()[n]) continue;
      const answer = await api.post("preview", { recipe: partOf(base, column) }).catch((problem) => ({ why: problem.sentence ?? String(problem) }));
      if (turn !== asked) return;
      previews.value = previews.peek().map((old, i) => (i === n ? answer : old));
    }
  },

  group: "",
  data: "",
};

const dataNow = () => JSON.stringify(plan.baseOf(studioOf)?.data ?? null);

/** @param {Column | undefined} a @param {Column | undefined} b */
const same = (a, b) => a?.network === b?.network && a?.bottleneck === b?.bottleneck && a?.size === b?.size;

/** What a column says of a recipe; the rest is what suits it. @param {any} base @param {Column} column */
function partOf(base, { network, bottleneck, size }) {
  const { data, corruption, objective, seed, training } = base;
  return {
    data,
    corruption,
    objective,
    seed,
    network: base.network.kind === network ? base.network : { kind: network },
    bottleneck: base.bottleneck.kind === bottleneck ? { ...base.bottleneck, size } : { kind: bottleneck, size },
    training: { epochs: training.epochs, batch: training.batch },
  };
}
