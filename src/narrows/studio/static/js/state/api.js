/** The server's HTTP interface: JSON or bytes in, and problems as sentences. */

/** A request that the server refused or that did not arrive, in words for the reader. */
export class Problem extends Error {
  /**
   * @param {string} sentence
   * @param {{status?: number, code?: string}} [about]
   */
  constructor(sentence, { status = 0, code = "" } = {}) {
    super(sentence);
    this.sentence = sentence;
    this.status = status;
    this.code = code;
  }
}

/** A browser writes refusals into its console as errors; asked so, the server tells them with status 200. */
const CALMLY = { Prefer: "problems=200" };
const PROBLEM = "application/problem+json";

/**
 * @param {string} path Below /api/, already escaped.
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
async function ask(path, how = {}) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, { credentials: "same-origin", ...how, headers: { ...CALMLY, ...how.headers } });
  } catch (problem) {
    if (how.signal?.aborted) throw problem;
    throw new Problem("The studio's server does not answer. Is `narrows studio` still running?");
  }
  if (!answer.ok || answer.headers.get("Content-Type") === PROBLEM) throw new Problem(...(await words(answer)));
  return answer;
}

/**
 * A problem document (RFC 9457) as one sentence: its detail says it all, what was expected and the next step too.
 * @param {Response} answer
 * @returns {Promise<[string, {status: number, code: string}]>}
 */
async function words(answer) {
  try {
    const { detail, status, code } = await answer.json();
    return [detail, { status, code }];
  } catch {
    return [`The server answered ${answer.status} ${answer.statusText}.`, { status: answer.status, code: "" }];
  }
}

/** @param {string} method @param {unknown} body */
const json = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

export const api = {
  /** @param {string} path @param {RequestInit} [how] */
  get: async (path, how) => (await ask(path, how)).json(),
  /** @param {string} path @param {RequestInit} [how] */
  bytes: async (path, how) => (await ask(path, how)).arrayBuffer(),
  /** Bytes and the headers they came with. @param {string} path @param {RequestInit} [how] */
  whole: async (path, how) => {
    const answer = await ask(path, how);
    return { bytes: await answer.arrayBuffer(), headers: answer.headers };
  },
  /** @param {string} path @param {unknown} body @param {RequestInit} [how] */
  post: async (path, body, how) => (await ask(path, { ...json("POST", body), ...how })).json(),
  /** @param {string} path @param {unknown} body */
  postForBytes: async (path, body) => (await ask(path, json("POST", body))).arrayBuffer(),
  /** @param {string} path @param {unknown} body */
  patch: async (path, body) => (await ask(path, json("PATCH", body))).json(),
  /** @param {string} path */
  remove: async (path) => void (await ask(path, { method: "DELETE" })),
  /** The raw bytes of a file; its name is only a label. @param {Blob} file @param {string} name */
  upload: async (file, name) =>
    (await ask(`uploads?name=${encodeURIComponent(name)}`, { method: "POST", body: file })).json(),
};
