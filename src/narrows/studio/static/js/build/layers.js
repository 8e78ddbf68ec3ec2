/** Layers of a recipe: which list holds them, and what one more or one less makes of it. */

/** @typedef {import("narrows/state/link").Recipe} Recipe */

/** The setting that lists the layers of a network, and how few there may be. */
const LISTS = {
  dense: { setting: "widths", least: 0, most: 12 },
  conv: { setting: "channels", least: 1, most: 8 },
  unet: { setting: "channels", least: 2, most: 6 },
};
const WIDEST = 4096;

/**
 * The layers of a recipe's encoder, outermost first; null where they are no list.
 * @param {Recipe | null} recipe
 * @returns {number[] | null}
 */
export function listed(recipe) {
  const list = LISTS[recipe?.network?.kind];
  return list ? (recipe?.network?.[list.setting] ?? null) : null;
}

/** @param {Recipe} recipe */
export const canAdd = (recipe) => (listed(recipe)?.length ?? Infinity) < (LISTS[recipe.network.kind]?.most ?? 0);

/** @param {Recipe} recipe */
export const canRemove = (recipe) => (listed(recipe)?.length ?? 0) > (LISTS[recipe.network.kind]?.least ?? Infinity);

/** @param {Recipe} recipe @param {number[]} layers @returns {Recipe} */
export function withLayers(recipe, layers) {
  return { ...recipe, network: { ...recipe.network, [LISTS[recipe.network.kind].setting]: layers } };
}

/** @param {Recipe} recipe @param {number} at @returns {Recipe} */
export const withoutLayer = (recipe, at) => withLayers(recipe, (listed(recipe) ?? []).filter((_, i) => i !== at));

/** @param {Recipe} recipe @param {number} at @param {number} width @returns {Recipe} */
export const withWidth = (recipe, at, width) => withLayers(recipe, (listed(recipe) ?? []).map((old, i) => (i === at ? width : old)));

/**
 * A layer more at a place: between its neighbours in size, or twice as many maps as before where the picture halves.
 * @param {Recipe} recipe @param {number} at @param {number} values Of one object.
 * @returns {Recipe}
 */
export function withLayer(recipe, at, values) {
  const layers = listed(recipe) ?? [];
  return withLayers(recipe, [...layers.slice(0, at), fitting(recipe, layers, at, values), ...layers.slice(at)]);
}

/** @param {Recipe} recipe @param {number[]} layers @param {number} at @param {number} values */
function fitting(recipe, layers, at, values) {
  if (recipe.network.kind !== "dense") return at > 0 ? Math.min(512, layers[at - 1] * 2) : Math.max(4, Math.floor((layers[0] ?? 32) / 2));
  const before = at > 0 ? layers[at - 1] : values;
  const after = at < layers.length ? layers[at] : recipe.bottleneck.size;
  return Math.min(WIDEST, powerOfTwo(Math.sqrt(before * after)));
}

/** @param {number} value */
const powerOfTwo = (value) => Math.max(2, 2 ** Math.round(Math.log2(value)));
