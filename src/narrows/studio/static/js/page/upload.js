/** Files of the reader's own: dropped anywhere on the page, or asked for by a button. */

import { api } from "narrows/state/api";
import { html, useEffect, useState, useValue } from "narrows/page/html";
import { zipped } from "narrows/page/zip";

/**
 * Give files to the server; several become one zip.
 * @param {File[]} files
 * @returns {Promise<{id: string, kind: string, label: string, facts: any, notes: string[]}>}
 */
export async function upload(files) {
  if (files.length === 1) return api.upload(files[0], files[0].name);
  return api.upload(await zipped(files), `${files.length} files`);
}

/**
 * Let files be the data to learn from.
 * @param {import("narrows/state/studio").Studio} studio
 * @param {File[]} files
 */
export function learnFrom(studio, files) {
  return studio.attempt(async () => {
    studio.say(files.length === 1 ? `Reading ${files[0].name} …` : `Reading ${files.length} files …`);
    const found = await upload(files);
    studio.view.value = "build";
    studio.say([`${found.label} is here.`, ...(found.notes ?? [])].join(" "));
    await studio.choose({ data: `upload:${found.id}` });
  });
}

/**
 * Files may be dropped anywhere: on Use they are used, elsewhere they become the data.
 * @param {{studio: import("narrows/state/studio").Studio}} given
 */
export function DropZone({ studio }) {
  const view = useValue(studio.view);
  const [over, setOver] = useState(false);
  useEffect(() => {
    const has = (event) => event.dataTransfer?.types.includes("Files");
    const hover = (event) => {
      if (!has(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event) => !event.relatedTarget && setOver(false);
    const drop = (event) => {
      setOver(false);
      if (!has(event) || event.defaultPrevented) return;
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      if (!files.length) return;
      if (studio.view.value === "use") studio.dropped.value = files;
      else learnFrom(studio, files);
    };
    const heard = /** @type {const} */ ([["dragover", hover], ["dragleave", leave], ["drop", drop]]);
    heard.forEach(([name, handler]) => addEventListener(name, handler));
    return () => heard.forEach(([name, handler]) => removeEventListener(name, handler));
  }, []);
  if (!over) return null;
  return html`<div class="dropzone"><p>${view === "use" ? "Drop it: it goes through the model" : "Drop it: it becomes the data to learn from"}</p></div>`;
}
