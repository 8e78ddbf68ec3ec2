/** What a changed recipe can keep of the weights that are there. */

/** @typedef {import("narrows/state/link").Recipe} Recipe */

/** Parts of a recipe that say how it trains and on what, but not which weights there are. */
const FREE = ["corruption", "objective", "training"];

/**
 * Whether the weights of a run suit another recipe: the same objects, layers of the same shapes.
 * @param {{recipe: Recipe, graph: any} | null} trained @param {Recipe | null} recipe @param {any} graph Of `recipe`.
 */
export function canKeep(trained, recipe, graph) {
  if (!trained?.graph || !graph || !recipe) return false;
  return fixed(trained.recipe) === fixed(recipe) && sameLayers(trained.graph, graph);
}

/** What must be the same. @param {Recipe} recipe */
function fixed(recipe) {
  const parts = Object.entries(recipe).filter(([part]) => !FREE.includes(part));
  return JSON.stringify(parts.map(([part, value]) => [part, settled(part, value)]));
}

/**
 * Settings of a bottleneck that cost nothing but training are left out: its kind and size decide.
 * @param {string} part
 * @param {any} value
 */
const settled = (part, value) => (part === "bottleneck" ? { kind: value.kind, size: value.size } : value);

/** Whether two graphs have tensors of the same names and shapes. @param {any} a @param {any} b */
export const sameLayers = (a, b) => Boolean(a && b) && (a === b || tensors(a) === tensors(b));

/** Names and shapes of all tensors. @param {any} graph */
const tensors = ({ layers }) => JSON.stringify(layers.map(({ weights }) => Object.values(weights).map(({ tensor, shape }) => [tensor, shape])));
