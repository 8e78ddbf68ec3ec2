"use strict";
// The map of one file: dots splatted into one ImageData, a legend that filters, the object under the pointer.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const points = new Float32Array(bytes(data.points).buffer);
const labels = data.wide ? new Uint16Array(bytes(data.labels).buffer) : bytes(data.labels);
const { groups, count } = data;
const shown = groups.map(() => true);
const canvas = $("dots"), pen = canvas.getContext("2d");
const dark = matchMedia("(prefers-color-scheme: dark)");

// Dots without a class behind all, then common classes, rare ones on top; classes about as common mix as they came,
// so that none of them covers the others.
const order = drawingOrder();
let box = bounds();
let view = { x: 0, y: 0, zoom: 1 };   // centre in units of the fitted frame, and the factor
let size = { width: 0, height: 0, ratio: 1 };
let near = -1, waiting = false, pixels = null;

function drawingOrder() {
  const most = Math.max(1, ...groups.map((g) => (g.none ? 0 : g.count)));
  const layer = groups.map((g) => (g.none ? 0 : 1 + Math.min(9, Math.floor(Math.log2(most / Math.max(1, g.count))))));
  const starts = new Uint32Array(12);
  groups.forEach((g, k) => { starts[layer[k] + 1] += g.count; });
  for (let n = 1; n < 12; n++) starts[n] += starts[n - 1];
  const result = new Uint32Array(count);
  for (let i = 0; i < count; i++) result[starts[layer[labels[i]]]++] = i;
  return result;
}

// Where the shown dots lie; all of them where none is shown.
function bounds() {
  const none = !shown.some((is, k) => is && groups[k].count);
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < count; i++) {
    if (!none && !shown[labels[i]]) continue;
    const x = points[2 * i], y = points[2 * i + 1];
    if (x < x0) x0 = x; if (x > x1) x1 = x;
    if (y < y0) y0 = y; if (y > y1) y1 = y;
  }
  const tiny = Math.max(Math.abs(x0), Math.abs(y0), 1) * 1e-9;
  const width = x1 - x0 > tiny ? x1 - x0 : 1, height = y1 - y0 > tiny ? y1 - y0 : 1;
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, width, height };
}

// One scale for both axes, so that near means near; only a very long map is stretched.
function scales() {
  const w = size.width - 56, h = size.height - 56;
  let sx = w / box.width, sy = h / box.height;
  const stretched = Math.max(sx, sy) > 4 * Math.min(sx, sy);
  if (!stretched) sx = sy = Math.min(sx, sy);
  return { sx: sx * view.zoom, sy: sy * view.zoom, stretched };
}

const place = () => {
  const { sx, sy } = scales();
  return { sx, sy, ox: size.width / 2 - (box.x + view.x) * sx, oy: size.height / 2 + (box.y + view.y) * sy };
};

function radius(k) {
  const bare = groups[groups.length - 1].none ? groups[groups.length - 1].count : 0, n = groups[k].none ? count : count - bare;
  const base = n < 300 ? 5 : n < 3000 ? 3.2 : n < 20000 ? 2.2 : n < 60000 ? 1.7 : 1.35;
  const large = groups.some((g) => g.shape !== "circle") ? Math.max(base, n < 40000 ? 2.6 : 1.9) : base;
  const frame = Math.max(0.65, Math.min(1.3, Math.min(size.width, size.height) / 640));
  return Math.min(9, large * frame * Math.pow(view.zoom, 0.28));
}

// How far inside a shape a place is, in pixels (negative: outside).
const shapes = {
  circle: (x, y, r) => r - Math.hypot(x, y),
  square: (x, y, r) => r * 0.88 - Math.max(Math.abs(x), Math.abs(y)),
  diamond: (x, y, r) => (r * 1.25 - Math.abs(x) - Math.abs(y)) * 0.707,
  triangle: (x, y, r) => Math.min(r * 0.75 - y, (r * 1.25 + y) * 0.5 - Math.abs(x) * 0.87),
  down: (x, y, r) => shapes.triangle(x, -y, r),
  plus: (x, y, r) => Math.max(Math.min(r * 0.42 - Math.abs(x), r * 1.15 - Math.abs(y)), Math.min(r * 0.42 - Math.abs(y), r * 1.15 - Math.abs(x))),
  cross: (x, y, r) => shapes.plus((x + y) * 0.707, (x - y) * 0.707, r),
};

const PHASES = 4;
let stamps = {}, stampedFor = "";

// The pixels that a shape covers around its centre, for each quarter-pixel place of it: steps right and down, the
// same as one step through the picture, and how much of each is covered, 0..256.
function stamp(shape, r, opacity, W) {
  const key = [opacity, W, view.zoom].join(), name = shape + r;
  if (stampedFor !== key) { stamps = {}; stampedFor = key; }
  if (stamps[name]) return stamps[name];
  const reach = Math.ceil(r * 1.3 + 1), all = [];
  for (let py = 0; py < PHASES; py++) for (let px = 0; px < PHASES; px++) {
    const right = [], down = [], step = [], cover = [];
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) {
      const inside = shapes[shape](x + 0.5 - (px + 0.5) / PHASES, y + 0.5 - (py + 0.5) / PHASES, r) + 0.5;
      const share = Math.round(Math.max(0, Math.min(1, inside)) * opacity);
      if (share > 6) { right.push(x); down.push(y); step.push(y * W + x); cover.push(share); }
    }
    all.push({ right: Int32Array.from(right), down: Int32Array.from(down), step: Int32Array.from(step), cover: Int32Array.from(cover) });
  }
  return (stamps[name] = { all, reach });
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw() {
  waiting = false;
  const { ratio } = size, W = canvas.width, H = canvas.height;
  if (!W || !H) return;
  if (!pixels || pixels.width !== W || pixels.height !== H) pixels = pen.createImageData(W, H);
  const [br, bg, bb] = rgb(css("--card"));
  const words = new Uint32Array(pixels.data.buffer);
  words.fill((255 << 24) | (bb << 16) | (bg << 8) | br);
  splat(words, W, H, ratio);
  pen.putImageData(pixels, 0, 0);
  if (near >= 0) ring(ratio);
}

// Blends two channels in one multiplication; 100,000 dots take a few milliseconds.
function splat(out, W, H, ratio) {
  const { sx, sy, ox, oy } = place();
  const opacity = count < 3000 ? 232 : count < 30000 ? 214 : 190;
  const colours = groups.map((g) => rgb(dark.matches ? g.dark : g.light));
  const ends = colours.map(([red, , blue]) => red | (blue << 16)), greens = colours.map(([, green]) => green << 8);
  const masks = groups.map((g, k) => stamp(g.shape, radius(k) * ratio, opacity, W));
  const ax = sx * ratio, bx = ox * ratio, ay = -sy * ratio, by = oy * ratio;
  for (let n = 0; n < count; n++) {
    const i = order[n], k = labels[i];
    if (!shown[k]) continue;
    const x = points[2 * i] * ax + bx, y = points[2 * i + 1] * ay + by, reach = masks[k].reach;
    if (!(x > -reach && y > -reach && x < W + reach && y < H + reach)) continue;
    const cx = Math.floor(x), cy = Math.floor(y);
    const mask = masks[k].all[((y - cy) * PHASES | 0) * PHASES + ((x - cx) * PHASES | 0)];
    const step = mask.step, cover = mask.cover, size = step.length, at = cy * W + cx, end = ends[k], green = greens[k];
    const inside = cx >= reach && cy >= reach && cx < W - reach && cy < H - reach;
    for (let j = 0; j < size; j++) {
      if (!inside && !within(cx + mask.right[j], cy + mask.down[j], W, H)) continue;
      const o = at + step[j], a = cover[j], rest = 256 - a, old = out[o];
      const outer = ((Math.imul(old & 0xff00ff, rest) + Math.imul(end, a)) >>> 8) & 0xff00ff;
      const inner = ((Math.imul(old & 0xff00, rest) + Math.imul(green, a)) >>> 8) & 0xff00;
      out[o] = 0xff000000 | outer | inner;
    }
  }
}

const within = (x, y, W, H) => x >= 0 && y >= 0 && x < W && y < H;

function ring(ratio) {
  const { x, y } = screen(near);
  pen.lineWidth = 2 * ratio;
  pen.strokeStyle = css("--ink");
  pen.beginPath();
  pen.arc(x * ratio, y * ratio, (radius(labels[near]) + 3.5) * ratio, 0, 2 * Math.PI);
  pen.stroke();
}

function screen(i) {
  const { sx, sy, ox, oy } = place();
  return { x: points[2 * i] * sx + ox, y: oy - points[2 * i + 1] * sy };
}

function later() {
  if (!waiting) { waiting = true; requestAnimationFrame(draw); }
}

function fit() {
  const frame = canvas.getBoundingClientRect();
  size = { width: frame.width, height: frame.height, ratio: Math.min(3, devicePixelRatio || 1) };
  canvas.width = Math.round(frame.width * size.ratio);
  canvas.height = Math.round(frame.height * size.ratio);
  draw();   // at once: a canvas of a new size is empty until it is drawn
}

// The nearest shown dot within 12 pixels; of equally near ones the one drawn last, which is the one seen.
function nearest(px, py) {
  const { sx, sy, ox, oy } = place();
  let best = 144, found = -1;
  for (let n = 0; n < count; n++) {
    const i = order[n];
    if (!shown[labels[i]]) continue;
    const dx = points[2 * i] * sx + ox - px, dy = oy - points[2 * i + 1] * sy - py, d = dx * dx + dy * dy;
    if (d <= best) { best = d; found = i; }
  }
  return found;
}

function point(i) {
  if (i === near) return;
  near = i;
  const tip = $("tip");
  tip.hidden = i < 0;
  later();
  if (i < 0) return;
  const group = groups[labels[i]];
  $("tip-class").textContent = groups.length > 1 ? group.name : "";
  $("tip-origin").textContent = data.origins ? data.origins[i] : "";
  $("tip-number").textContent = data.ids ? "object " + data.ids[i] : "";
  tip.classList.toggle("tall", Boolean(data.lines || data.fields));
  paint(i);
  trace(i, dark.matches ? group.dark : group.light);
  list(i);
  const { x, y } = screen(i), gap = 14, w = tip.offsetWidth, h = tip.offsetHeight;
  const keep = (place, room) => Math.max(4, Math.min(room - 4, place));
  let left = x + gap + w > size.width - 4 ? x - gap - w : x + gap, top = y - h / 2;
  // On a narrow frame there is no room beside the dot: above it, or below.
  if (left < 4) { left = x - w / 2; top = y - gap - h < 4 ? y + gap : y - gap - h; }
  tip.style.transform = `translate(${keep(left, size.width - w)}px, ${keep(top, size.height - h)}px)`;
}

let sheet = null;
if (data.sprite) {
  sheet = new Image();
  sheet.src = data.sprite.address;
}

function paint(i) {
  const picture = $("picture");
  picture.hidden = !(sheet && sheet.complete && sheet.naturalWidth);
  if (picture.hidden) return;
  const { columns, width, height } = data.sprite, grow = 72 / Math.max(width, height);
  picture.width = width;
  picture.height = height;
  picture.style.width = width * grow + "px";
  picture.style.height = height * grow + "px";
  picture.getContext("2d").drawImage(sheet, (i % columns) * width, Math.floor(i / columns) * height, width, height, 0, 0, width, height);
}

const heights = data.lines && bytes(data.lines.values);

function trace(i, ink) {
  $("line").hidden = !data.lines;
  if (!data.lines) return;
  const { length, ends, reach } = data.lines, curve = $("curve"), ratio = size.ratio, w = 200, h = 64, ctx = curve.getContext("2d");
  curve.width = w * ratio;
  curve.height = h * ratio;
  ctx.scale(ratio, ratio);
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.5;
  ctx.lineJoin = "round";
  ctx.beginPath();
  for (let n = 0; n < length; n++) {
    ctx.lineTo(2 + (w - 4) * (length > 1 ? n / (length - 1) : 0.5), h - 3 - (heights[i * length + n] / 255) * (h - 6));
  }
  ctx.stroke();
  $("ends").replaceChildren(make("span", "", ends[0]), make("span", "", ends[1]));
  $("reach").textContent = "drawn from " + reach;
}

const values = data.fields && new Float32Array(bytes(data.fields.values).buffer);

function list(i) {
  $("fields").hidden = !data.fields;
  if (!data.fields) return;
  const { names, words, more } = data.fields, rows = [];
  names.forEach((name, n) => {
    const value = values[i * names.length + n];
    const text = words[n].length ? (value < 0 ? "none" : words[n][value]) : Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
    rows.push(make("dt", "", name), make("dd", "", text));
  });
  if (more) rows.push(make("dd", "more", "and " + more.toLocaleString("en") + " more columns"));
  $("fields").replaceChildren(...rows);
}

function zoomBy(factor, px = size.width / 2, py = size.height / 2) {
  const before = scales(), zoom = Math.max(0.5, Math.min(400, view.zoom * factor));
  const dx = (px - size.width / 2) / before.sx, dy = (py - size.height / 2) / before.sy, keep = 1 - view.zoom / zoom;
  view = { x: view.x + dx * keep, y: view.y - dy * keep, zoom };
  point(-1);
  later();
}

function moveBy(dx, dy) {
  const { sx, sy } = scales();
  view = { ...view, x: view.x - dx / sx, y: view.y + dy / sy };
  point(-1);
  later();
}

function fitShown() {
  box = bounds();
  view = { x: 0, y: 0, zoom: 1 };
  nameAxes();
  point(-1);
  later();
}

function nameAxes() {
  const note = scales().stretched ? " (the axes are stretched apart)" : "";
  $("across").textContent = data.axes[0] + note + " →";
  $("upright").textContent = data.axes[1] + " →";
}

const held = new Map();
const local = (event) => { const r = canvas.getBoundingClientRect(); return { x: event.clientX - r.left, y: event.clientY - r.top }; };
const middle = () => {
  const [a, b] = [...held.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
};

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, local(event));
});
canvas.addEventListener("pointermove", (event) => {
  const at = local(event), last = held.get(event.pointerId);
  if (!last) return point(nearest(at.x, at.y));
  if (held.size === 2) {
    const was = middle();
    held.set(event.pointerId, at);
    const is = middle();
    moveBy(is.x - was.x, is.y - was.y);
    return zoomBy(is.apart / was.apart, is.x, is.y);
  }
  canvas.classList.add("dragging");
  moveBy(at.x - last.x, at.y - last.y);
  held.set(event.pointerId, at);
});
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => {
  held.delete(event.pointerId);
  if (!canvas.classList.contains("dragging") && name === "pointerup") {
    const at = local(event);
    point(nearest(at.x, at.y));
  }
  if (!held.size) canvas.classList.remove("dragging");
});
canvas.addEventListener("pointerleave", (event) => { if (!held.size && event.pointerType === "mouse") point(-1); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const at = local(event), lines = event.deltaMode === 1 ? 24 : 1;
  zoomBy(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) * 0.0022), at.x, at.y);
}, { passive: false });
canvas.addEventListener("dblclick", (event) => { const at = local(event); zoomBy(2, at.x, at.y); });
canvas.addEventListener("keydown", (event) => {
  const step = 48, keys = {
    ArrowLeft: () => moveBy(step, 0), ArrowRight: () => moveBy(-step, 0), ArrowUp: () => moveBy(0, step),
    ArrowDown: () => moveBy(0, -step), "+": () => zoomBy(1.4), "=": () => zoomBy(1.4), "-": () => zoomBy(1 / 1.4), 0: fitShown,
    Escape: () => point(-1),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
});
$("nearer").onclick = () => zoomBy(1.5);
$("farther").onclick = () => zoomBy(1 / 1.5);
$("whole").onclick = fitShown;

// The legend: a button for each class hides or shows it, "only" shows it alone.
const marks = {
  circle: "M6.5 1.5a5 5 0 1 0 .01 0z", square: "M2 2h9v9h-9z", diamond: "M6.5 .5l6 6-6 6-6-6z", triangle: "M6.5 1l6 11h-12z",
  down: "M6.5 12l6-11h-12z", plus: "M4.7 .5h3.6v4.2h4.2v3.6h-4.2v4.2h-3.6v-4.2h-4.2v-3.6h4.2z",
  cross: "M3.2 .8l3.3 3.3 3.3-3.3 2.4 2.4-3.3 3.3 3.3 3.3-2.4 2.4-3.3-3.3-3.3 3.3-2.4-2.4 3.3-3.3-3.3-3.3z",
};

function make(tag, cls, text = "") {
  const element = document.createElement(tag);
  element.className = cls;
  element.textContent = text;
  return element;
}

function swatch(shape) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 13 13");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", marks[shape]);
  svg.append(path);
  return { svg, path };
}

const listed = groups.map((_, k) => k).filter((k) => groups[k].count && groups.length > 1);
const rows = new Map();
for (const k of listed) {
  const row = make("li", ""), toggle = make("button", "toggle"), only = make("button", "only", "only"), { svg, path } = swatch(groups[k].shape);
  toggle.type = only.type = "button";
  toggle.title = groups[k].name;
  only.setAttribute("aria-label", "only " + groups[k].name);
  toggle.append(svg, make("span", "name", groups[k].name), make("span", "tally", groups[k].count.toLocaleString("en")));
  toggle.onclick = () => { shown[k] = !shown[k]; refresh(); };
  only.onclick = () => { shown.forEach((_, j) => { shown[j] = j === k; }); refresh(); fitShown(); };
  toggle.ondblclick = only.onclick;
  row.append(toggle, only);
  $("legend").append(row);
  rows.set(k, { toggle, path });
}
$("show-all").onclick = () => { shown.fill(true); refresh(); fitShown(); };

function refresh() {
  for (const [k, { toggle, path }] of rows) {
    toggle.setAttribute("aria-pressed", String(shown[k]));
    path.setAttribute("fill", dark.matches ? groups[k].dark : groups[k].light);
  }
  const seen = groups.reduce((sum, g, k) => sum + (shown[k] ? g.count : 0), 0), total = count.toLocaleString("en");
  $("summary").textContent = (seen < count ? seen.toLocaleString("en") + " of " : "") + total + (count === 1 ? " object" : " objects");
  $("show-all").hidden = seen === count;
  point(-1);
  later();
}

for (const [name, value, meaning] of data.numbers) {
  const block = make("div", "");
  block.append(make("dt", "", name), make("dd", "value", value));
  if (meaning) block.append(make("dd", "meaning", meaning));
  $("numbers").append(block);
}
$("numbers-part").hidden = !data.numbers.length;
$("legend-part").hidden = !listed.length;
$("legend-part").classList.toggle("many", listed.length > 6);
$("legend").classList.toggle("short", listed.length > 6 && listed.every((k) => groups[k].name.length <= 6));
$("note").textContent = data.note;
new ResizeObserver(fit).observe(canvas);
dark.addEventListener("change", refresh);
fit();
nameAxes();
refresh();
