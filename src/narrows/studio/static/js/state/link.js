/**
 * A link is an experiment: the whole state as a location hash, and back.
 *
 *     #1/build?data.name=digits&bottleneck.size=2&run=k3j9...&object=12
 *
 * Settings of the recipe are written as dotted paths, as `--set` takes them; only those that differ from the defaults.
 */

const VERSION = "1";
const FIRST_DATA = "digits";

/**
 * @typedef {Record<string, any>} Recipe A recipe as JSON, whole or in part.
 * @typedef {{view: string, recipe: Recipe | null, rest: Record<string, string>}} Link
 */

/**
 * The leaves of a nested object by their dotted paths; a list is a leaf, and so is the objective's table of weights.
 * @param {Recipe} nested
 * @param {string} [prefix]
 * @returns {Record<string, unknown>}
 */
export function flatten(nested, prefix = "") {
  /** @type {Record<string, unknown>} */
  const flat = {};
  for (const [name, value] of Object.entries(nested)) {
    const path = prefix + name;
    const inner = value !== null && typeof value === "object" && !Array.isArray(value) && path !== "objective";
    Object.assign(flat, inner ? flatten(value, `${path}.`) : { [path]: value });
  }
  return flat;
}

/**
 * @param {Record<string, unknown>} flat
 * @returns {Recipe}
 */
export function nest(flat) {
  /** @type {Recipe} */
  const nested = {};
  for (const [path, value] of Object.entries(flat)) {
    const names = path.split(".");
    const last = /** @type {string} */ (names.pop());
    // A link comes from anybody: names that reach beyond the object itself are left out.
    if ([...names, last].some((name) => name in Object.prototype)) continue;
    names.reduce((at, name) => (at[name] ??= {}), nested)[last] = value;
  }
  return nested;
}

/**
 * The settings in which `recipe` differs from `base`; of a part of another kind, all of them.
 * @param {Recipe} recipe
 * @param {Recipe} base
 * @returns {Record<string, unknown>}
 */
export function differences(recipe, base) {
  const same = flatten(base);
  const flat = flatten(recipe);
  const partOf = (path) => path.split(".")[0];
  const differs = (path) => JSON.stringify(flat[path]) !== JSON.stringify(same[path]);
  const changed = new Set(Object.keys(flat).filter(differs).map(partOf));
  const isNamed = (path) => {
    const part = partOf(path);
    // Settings of a part mean nothing without its kind.
    if (path === `${part}.kind`) return changed.has(part);
    return differs(path) || (recipe[part]?.kind !== base[part]?.kind && path.includes("."));
  };
  return Object.fromEntries(Object.entries(flat).filter(([path]) => isNamed(path)));
}

/** @param {unknown} value */
const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** @param {string} text */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * @param {Link} link
 * @param {Recipe} base The default recipe.
 * @returns {string} The hash, "#" included.
 */
export function toHash({ view, recipe, rest }, base) {
  const query = new URLSearchParams();
  if (recipe) {
    const settings = { "data.name": recipe.data?.name ?? FIRST_DATA, ...differences(recipe, base) };
    Object.entries(settings).forEach(([path, value]) => query.set(path, written(value)));
  }
  Object.entries(rest).forEach(([name, text]) => query.set(name, text));
  const text = query.toString();
  return `#${VERSION}/${view}${text && "?"}${text}`;
}

const PARTS = ["data", "corruption", "network", "bottleneck", "head", "objective", "training", "seed"];

/**
 * @param {string} hash
 * @returns {Link | null} Null for a hash of another version, or none.
 */
export function fromHash(hash) {
  const found = /^#(\d+)\/([a-z]+)(?:\?(.*))?$/.exec(hash);
  if (!found || found[1] !== VERSION) return null;
  /** @type {Record<string, unknown>} */
  const settings = {};
  /** @type {Record<string, string>} */
  const rest = {};
  for (const [name, text] of new URLSearchParams(found[3] ?? "")) {
    if (PARTS.includes(name.split(".")[0])) settings[name] = read(text);
    else rest[name] = text;
  }
  const recipe = Object.keys(settings).length ? nest({ "data.name": FIRST_DATA, ...settings }) : null;
  return { view: found[2], recipe, rest };
}

/**
 * The command that trains a recipe.
 * @param {Recipe} recipe
 * @param {Recipe} base
 */
export function asCommand(recipe, base) {
  const { "data.name": _, ...settings } = differences(recipe, base);
  const sets = Object.entries(settings).map(([path, value]) => `--set ${quoted(`${path}=${written(value)}`)}`);
  return ["narrows train", quoted(recipe.data?.name ?? FIRST_DATA), ...sets].join(" ");
}

/** @param {string} text */
const quoted = (text) => (/^[\w./=,:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
