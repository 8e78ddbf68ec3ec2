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
  { value: "unet", label: "U-Net" },
];

/** Why a network is not offered for a kind of object, or nothing. @param {string} network @param {string} kind */
export function whyNot(network, kind) {
  if (kind === "table" && network !== "dense") return "Columns of a table are no neighbours: only dense layers suit it";
  if (network === "unet" && kind !== "image") return "A U-Net is compared on pictures: it carries their detail around the code";
  return "";
}

/** The networks to choose from for a kind of object. @param {string} kind */
export const networksFor = (kind) =>
  NETWORKS.map((one) => ({ ...one, off: whyNot(one.value, kind) !== "", title: whyNot(one.value, kind) || undefined }));

/** What a column is called. @param {Column} column */
export const titleOf = ({ network, bottleneck, size }) =>
  [NETWORKS.find(({ value }) => value === network)?.label ?? network, bottleneck === "plain" ? "" : bottleneck, network === "unet" ? `${size} a place` : size].filter(Boolean).join(" ");

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

/** @type {{name: string, title: string, columns: (first: Column, kind: string) => Column[]}[]} */
export const PRESETS = [
  {
    name: "Networks",
    title: "Dense, convolution and LSTM with the same code",
    columns: (first, kind) => pairable(["dense", "conv", "lstm"].filter((network) => !whyNot(network, kind)).map((network) => ({ ...first, network }))),
  },
  { name: "Sizes", title: "The same network with a code of 2, 8 and 32 numbers", columns: (first) => [2, 8, 32].map((size) => ({ ...first, size })) },
  {
    name: "Bottlenecks",
    title: "The same network with three kinds of bottleneck",
    columns: (first) => ["plain", "variational", "sparse-topk"].map((bottleneck) => ({ ...first, bottleneck, size: Math.max(8, first.size) })),
  },
];

/** One column alone compares nothing: a smaller code beside it does. @param {Column[]} columns */
const pairable = (columns) => (columns.length > 1 ? columns : [{ ...columns[0], size: 2 }, { ...columns[0], size: 8 }]);

/** @param {string} network @param {number} [size] @param {string} [bottleneck] @returns {Column} */
const column = (network, size = 8, bottleneck = "plain") => ({ network, bottleneck, size });

/** Pairs to begin with: a question, and the two that answer it. @type {{name: string, asks: string, columns: Column[]}[]} */
export const PAIRS = [
  { name: "dense against conv", asks: "Does it help to know that neighbours belong together?", columns: [column("dense"), column("conv")] },
  { name: "code 2 against 32", asks: "What do more numbers keep, and how much of it would PCA keep as well?", columns: [column("dense", 2), column("dense", 32)] },
  { name: "plain against variational", asks: "What does a cloud instead of a point do to the map, and what does it cost?", columns: [column("dense", 2), column("dense", 2, "variational")] },
  { name: "conv against LSTM", asks: "Is it better looked at all at once, or read step by step?", columns: [column("conv"), column("lstm")] },
  { name: "conv against U-Net", asks: "A U-Net carries detail around the code: how much better does it draw, and how little does its code then know?", columns: [column("conv"), column("unet")] },
];

/** The pairs that suit a kind of object. @param {string} kind */
export const pairsFor = (kind) => PAIRS.filter(({ columns }) => columns.every(({ network }) => !whyNot(network, kind)));

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

  /** What kind of objects they are compared on. @param {any} studio @returns {string} */
  kindOf(studio) {
    const graph = previews.value.find((one) => one?.graph)?.graph ?? studio.preview.value?.graph ?? studio.graph.value;
    return graph?.kind ?? "image";
  },

  /** @param {any} studio @param {string} name */
  preset(studio, name) {
    plan.set(PRESETS.find((one) => one.name === name).columns(columnOf(plan.baseOf(studio)), plan.kindOf(studio)));
  },

  /** Set columns side by side and train them at once. @param {any} studio @param {Column[]} next */
  async take(studio, next) {
    plan.set(next);
    clearTimeout(timer);
    await plan.ask();
    if (plan.ready()) await plan.train(studio);
  },

  /** Whether every column has its whole recipe. */
  ready: () => columns.value.length > 1 && columns.value.every((_, n) => previews.value[n]?.recipe),

  /** Train the columns. @param {any} studio */
  async train(studio) {
    const known = previews.value.slice(0, columns.value.length);
    // What is on the table is then what is trained first; the other views show that one.
    studio.recipe.value = known[0].recipe;
    studio.preview.value = known[0];
    await studio.begin(known.map(({ recipe }) => recipe));
  },

  /** @param {Column[]} next */
  set(next) {
    batch(() => {
      const before = columns.peek();
      columns.value = next;
      previews.value = next.map((column, n) => (same(column, before[n]) && plan.data === dataNow() ? (previews.peek()[n] ?? null) : null));
    });
    plan.data = dataNow();
    // Answers that are still on their way are those to other columns.
    asked += 1;
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
