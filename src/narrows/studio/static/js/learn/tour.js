/** The tour: chapters that set knobs, run, and wait for what the reader does. */

import { signal } from "@preact/signals-core";
import { aboutOf } from "narrows/learn/about";
import { Breaking, useSound } from "narrows/learn/breaking";
import { CHAPTERS, recipeOf } from "narrows/learn/chapters";
import { html, useEffect, useMemo, useValue } from "narrows/page/html";

/** @typedef {import("narrows/state/studio").Studio} Studio @typedef {import("narrows/learn/chapters").Chapter} Chapter */

/** What the reader has done, "chapter/what", for as long as the page is open. */
const marks = signal(/** @type {Set<string>} */ (new Set()));

/**
 * What a chapter's pieces get.
 * @param {Studio} studio
 * @param {Chapter} chapter
 */
function useStage(studio, chapter) {
  const all = useValue(marks);
  return useMemo(() => {
    const prefix = `${chapter.name}/`;
    const own = [...all].filter((mark) => mark.startsWith(prefix)).map((mark) => mark.slice(prefix.length));
    const mark = (what) => !marks.value.has(prefix + what) && (marks.value = new Set(marks.value).add(prefix + what));
    const train = (settings) => studio.train(recipeOf(settings), `Learn: ${chapter.title.toLowerCase()}`);
    return { studio, mark, train, marks: new Set(own) };
  }, [studio, chapter, all]);
}

/** @param {{studio: Studio}} given */
export function Tour({ studio }) {
  const name = useValue(studio.chapter) ?? CHAPTERS[0].name;
  const at = Math.max(0, CHAPTERS.findIndex((chapter) => chapter.name === name));
  const go = (to) => {
    studio.chapter.value = CHAPTERS[to].name;
    document.querySelector(".chapter")?.scrollTo?.(0, 0);
  };
  return html`<div class="tour">
    <${Contents} studio=${studio} at=${at} go=${go} />
    <${Page} key=${at} studio=${studio} chapter=${CHAPTERS[at]} at=${at} go=${go} />
  </div>`;
}

/** @param {{studio: Studio, at: number, go: (to: number) => void}} given */
function Contents({ studio, at, go }) {
  const all = useValue(marks);
  return html`<nav class="contents" aria-label="Chapters"><ol>
    ${CHAPTERS.map(
      ({ name, title }, i) => html`<li><button type="button" class="plain" aria-current=${i === at ? "step" : undefined} onClick=${() => go(i)}>
        <span class="nth ${all.has(`${name}/finished`) ? "done" : ""}">${i + 1}</span>${title}</button></li>`,
    )}
  </ol></nav>`;
}

/** @param {{studio: Studio, chapter: Chapter, at: number, go: (to: number) => void}} given */
function Page({ studio, chapter, at, go }) {
  const stage = useStage(studio, chapter);
  usePauseMark(stage);
  useSound(stage, chapter);
  const graph = useValue(studio.graph);
  const done = useValue(() => chapter.tasks.map((task) => task.done(stage)).join(), [chapter, stage]).split(",").map((word) => word === "true");
  const all = done.every(Boolean);
  useEffect(() => void (all && stage.mark("finished")), [all]);
  const last = at === CHAPTERS.length - 1;
  return html`<article class="chapter">
    <div class="telling">
      <h1>${chapter.title}</h1>
      ${chapter.words(aboutOf(graph))}
      <ol class="tasks">${chapter.tasks.map((task, i) => html`<${TaskLine} task=${task} done=${done[i]} stage=${stage} chapter=${chapter} />`)}</ol>
      <${Breaking} stage=${stage} chapter=${chapter} />
      <p class="turn">
        <button type="button" disabled=${at === 0} onClick=${() => go(at - 1)}>Back</button>
        ${last
          ? html`<button type="button" class="main" onClick=${() => (studio.view.value = "build")}>Build your own</button>`
          : html`<button type="button" class=${all ? "main" : ""} onClick=${() => go(at + 1)}>${all ? "Next" : "Next, without it"}: ${CHAPTERS[at + 1].title}</button>`}
      </p>
    </div>
    <section class="figure card" aria-label="Live figure">${chapter.figure(stage)}</section>
  </article>`;
}

/** The reader paused the training, or it came to its end. @param {import("narrows/learn/chapters").Stage} stage */
function usePauseMark(stage) {
  const state = useValue(() => stage.studio.run.value?.info.value.state);
  useEffect(() => void (["paused", "done"].includes(state) && stage.mark("paused")), [state]);
}

/**
 * @param {{task: import("narrows/learn/chapters").Task, done: boolean, stage: import("narrows/learn/chapters").Stage, chapter: Chapter}} given
 */
function TaskLine({ task, done, stage, chapter }) {
  return html`<li class=${done ? "done" : ""}>
    <span class="check" role="img" aria-label=${done ? "done" : "to do"}>${done ? "✓" : ""}</span>
    <div>${task.say} ${task.button && !done
      ? html`<button type="button" onClick=${() => stage.train(task.settings ?? chapter.settings)}>${task.button}</button>` : null}</div>
  </li>`;
}
