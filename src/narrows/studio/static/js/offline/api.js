/** The interface of `narrows/state/api`, answered by what the page carries in itself. */

import { about, part } from "narrows/offline/data";

/** A request that has no answer here, in words for the reader. */
export class Problem extends Error {
  /** @param {string} sentence */
  constructor(sentence) {
    super(sentence);
    this.sentence = sentence;
    this.status = 0;
    this.code = "offline";
  }
}

const NO_SERVER = "This page is a file without a server: open the run in the studio for that.";
const refuse = () => Promise.reject(new Problem(NO_SERVER));

/** Answers by what is asked of a run. @type {Record<string, (query: URLSearchParams) => unknown>} */
const JSONS = {
  "": () => about.run,
  where: () => about.where,
};

/** @type {Record<string, (query: URLSearchParams) => Promise<ArrayBuffer>>} */
const BYTES = {
  labels: () => part("labels"),
  weights: () => part("weights"),
  points: (query) => {
    const name = query.get("projection") ?? "points";
    return name in about.widths ? part(name) : refuse();
  },
  objects: async (query) => {
    const { shape, dtype } = about.run.objects;
    const size = shape.reduce((all, side) => all * side, dtype === "uint8" ? 1 : 2);
    const [first, count] = ["first", "count"].map((name) => Number(query.get(name)));
    return (await part("objects")).slice(first * size, (first + count) * size);
  },
};

/**
 * The answer to a path "runs/ID/NAME?QUERY".
 * @template T
 * @param {Record<string, (query: URLSearchParams) => T>} answers @param {string} path
 */
async function answer(answers, path) {
  const [address, query] = path.split("?");
  const found = answers[address.split("/")[2] ?? ""];
  return address.startsWith("runs/") && found ? found(new URLSearchParams(query)) : refuse();
}

/**
 * The first objects as they go in, which the file carries where the recipe corrupts them; nothing else is worked out here.
 * @param {string} path @param {{objects?: number[]}} wish Object numbers, from 0 on without a gap.
 */
async function postForBytes(path, { objects } = {}) {
  if (path !== "corrupt" || !objects || !("inputs" in about.widths)) return refuse();
  return (await part("inputs")).slice(0, 2 * objects.length * about.run.graph.values);
}

export const api = {
  /** @param {string} path */
  get: (path) => answer(JSONS, path),
  /** @param {string} path */
  bytes: (path) => answer(BYTES, path),
  /** @param {string} path */
  whole: async (path) => ({
    bytes: await answer(BYTES, path),
    headers: new Headers({ "X-Dtype": about.run.objects.dtype }),
  }),
  post: refuse,
  postForBytes,
  patch: refuse,
  remove: refuse,
  upload: refuse,
};
