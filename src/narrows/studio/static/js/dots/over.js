/** What lies over the dots: names, rings, the held code, paths and the lasso. */

import { css, classColour, token } from "narrows/draw/draw";
import { frame, ring, words } from "narrows/draw/plot";

const LOOKED_AT = 2500;
/** Pictures of this side speak for themselves. */
const LARGE = 20;

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("narrows/draw/plot").Plot} plot
 * @param {any} view The map's view: its run, studio, hand, lasso and extras.
 */
export function over(pen, plot, view) {
  const { extras, studio, hand } = view;
  if (!plot.count) return;
  if (extras.names) names(pen, plot, view);
  if (plot.tier?.words) captions(pen, plot, view);
  if (extras.path?.length) line(pen, plot, extras.path);
  for (const i of extras.near ?? []) rung(pen, plot, i, css(token("code")), 1.5);
  const chosen = studio.object.value;
  if (chosen !== null) rung(pen, plot, chosen, css(token("ink")), 2);
  const hovered = studio.hovered.value;
  if (hovered !== null && hovered !== chosen) rung(pen, plot, hovered, css(token("ink")), 1.5);
  if (!extras.linked) pin(pen, plot, hand, chosen !== null);
  if (view.lasso.length) lasso(pen, plot, view.lasso);
}

function rung(pen, plot, i, colour, width) {
  if (i >= plot.count) return;
  const side = plot.pictured.has(i) ? plot.tier.side : 0;
  if (side >= LARGE) frame(pen, plot.spotOf(i), side + 4, colour, width + 0.5);
  else ring(pen, plot.spotOf(i), plot.radius + 3.5, colour, width);
}

/** The code that is held: a ring with a dot in it, and a thread to the object it came from. */
function pin(pen, plot, hand, chosen) {
  const at = hand.at.value;
  if (!at || (!hand.moved.value && !chosen)) return;
  const spot = plot.toSpot(at.x, at.y);
  const colour = css(token("code"));
  if (hand.moved.value) {
    ring(pen, spot, 7, colour, 2.5);
    pen.beginPath();
    pen.arc(spot.x, spot.y, 2.5, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.fill();
  }
}

/** The name of each class at the middle of its dots. */
function names(pen, plot, { run, studio }) {
  const graph = run.graph.value;
  const labels = run.labels.value;
  if (!labels || !graph?.classes.length || plot.tier?.side >= LARGE) return;
  const font = `700 15px ${getComputedStyle(document.body).fontFamily}`;
  for (const { index, x, y } of middles(plot, labels, graph.classes.length)) {
    if (!studio.hidden.value.has(index)) words(pen, graph.classes[index], plot.toSpot(x, y), css(classColour(index)), font);
  }
}

/** @returns {{index: number, x: number, y: number}[]} The median place of each class among the first objects. */
function middles(plot, labels, classes) {
  const places = Array.from({ length: classes }, () => [[], []]);
  const count = Math.min(plot.count, labels.length, LOOKED_AT);
  for (let i = 0; i < count; i += 1) {
    if (labels[i] < 0) continue;
    places[labels[i]][0].push(plot.xy[2 * i]);
    places[labels[i]][1].push(plot.xy[2 * i + 1]);
  }
  return places.flatMap(([xs, ys], index) => (xs.length ? [{ index, x: median(xs), y: median(ys) }] : []));
}

const median = (values) => Float32Array.from(values).sort()[values.length >> 1];

/** What each large picture is, below it. */
function captions(pen, plot, { run }) {
  const labels = run.labels.value;
  const classes = run.graph.value?.classes ?? [];
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  for (const i of plot.pictured) {
    const { x, y } = plot.spotOf(i);
    const name = labels?.[i] >= 0 ? classes[labels[i]] : "";
    words(pen, name || `object ${i}`, { x, y: y + plot.tier.side / 2 + 9 }, css(token("ink")), font);
  }
}

/** @param {{x: number, y: number}[]} path */
function line(pen, plot, path) {
  const spots = path.map(({ x, y }) => plot.toSpot(x, y));
  for (const [width, colour] of [[5, css(token("card"), 0.85)], [2, css(token("code"))]]) {
    pen.beginPath();
    spots.forEach(({ x, y }) => pen.lineTo(x, y));
    Object.assign(pen, { lineWidth: width, strokeStyle: colour, lineJoin: "round" });
    pen.stroke();
  }
}

/** @param {number[]} places */
function lasso(pen, plot, places) {
  pen.beginPath();
  for (let n = 0; n < places.length; n += 2) {
    const { x, y } = plot.toSpot(places[n], places[n + 1]);
    pen.lineTo(x, y);
  }
  pen.closePath();
  Object.assign(pen, { lineWidth: 1.5, strokeStyle: css(token("code")), fillStyle: css(token("code"), 0.1) });
  pen.fill();
  pen.stroke();
}
