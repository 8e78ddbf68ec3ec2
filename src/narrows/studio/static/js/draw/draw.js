/** Objects of every kind on canvases: pictures, series, sounds, table rows and spectra, and what was lost of them. */

/**
 * @typedef {{kind: string, shape: number[], low: number, high: number, ink?: string}} Look
 *   What of a graph drawing needs; `ink` is the token of the bars of a row.
 * @typedef {{paper: number[], ink: number[], red: number[], card: number[]}} Inks Colours as [r, g, b].
 */

const SERIES_INSET = 0.08;

/** @type {Map<string, number[]>} */
const colours = new Map();
let drawnFor = "";

/**
 * A colour token as [r, g, b], 0..255; read anew when the theme changes.
 * @param {string} name Without the leading dashes.
 */
export function token(name) {
  const theme = `${document.documentElement.dataset.theme}${matchMedia("(prefers-color-scheme: dark)").matches}`;
  if (theme !== drawnFor) {
    colours.clear();
    drawnFor = theme;
  }
  if (!colours.has(name)) colours.set(name, parse(getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)));
  return /** @type {number[]} */ (colours.get(name));
}

/** @param {string} hex */
function parse(hex) {
  const number = Number.parseInt(hex.trim().slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** @param {number[]} colour @param {number} [alpha] */
export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/**
 * Colour of a class, the same as on paper; further classes begin again (their shape tells them apart).
 * @param {number} index -1 for an object without a class.
 */
export const classColour = (index) => token(index < 0 ? "class-none" : `class-${index % 10}`);

/**
 * Make a canvas as sharp as the screen and give its context in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function fitted(canvas, width, height) {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/**
 * Paint one object over the whole canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Look} look
 * @param {ArrayLike<number>} values Scaled values, (D,).
 * @param {{width?: number, height?: number}} [size] CSS pixels; the canvas's own box if left out.
 */
export function drawObject(canvas, look, values, size = {}) {
  paint(canvas, look, size, { values, lost: null });
}

/**
 * Paint what was lost between two objects: red on paper, stronger where more is missing.
 * @param {HTMLCanvasElement} canvas
 * @param {Look} look
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} y
 * @param {{width?: number, height?: number}} [size]
 */
export function drawLost(canvas, look, x, y, size = {}) {
  paint(canvas, look, size, { values: x, lost: y });
}

/** @typedef {{values: ArrayLike<number>, lost: ArrayLike<number> | null}} Subject */

/** @param {HTMLCanvasElement} canvas @param {Look} look @param {{width?: number, height?: number}} size @param {Subject} subject */
function paint(canvas, look, { width = canvas.clientWidth, height = canvas.clientHeight }, subject) {
  if (look.kind === "image") return paintImage(canvas, look, subject);
  const context = fitted(canvas, width || 48, height || 48);
  const painter = PAINTERS[look.kind] ?? paintLine;
  return painter(context, look, subject, width || 48, height || 48);
}

/** @type {Record<string, (context: CanvasRenderingContext2D, look: Look, subject: Subject, w: number, h: number) => void>} */
const PAINTERS = { series: paintLine, spectrum: paintLine, sound: paintWave, table: paintBars };

/**
 * A picture keeps its own pixels; the style sheet enlarges them.
 * @param {HTMLCanvasElement} canvas @param {Look} look @param {Subject} subject
 */
function paintImage(canvas, look, subject) {
  const [height, width] = look.shape.slice(-2);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.putImageData(imageOf(look, subject.values, subject.lost), 0, 0);
}

/**
 * A picture's pixels: grey as ink on card, colour as it is, loss as red on card.
 * @param {Look} look
 * @param {ArrayLike<number>} values
 * @param {ArrayLike<number> | null} [lost]
 */
export function imageOf(look, values, lost = null) {
  const [height, width] = look.shape.slice(-2);
  const image = new ImageData(width, height);
  if (lost) return fillLost(image, look, values, lost);
  return (look.shape.length > 2 ? look.shape[0] : 1) >= 3 ? fillColour(image, look, values) : fillGrey(image, look, values);
}

/** @param {ImageData} image @param {Look} look @param {ArrayLike<number>} values */
function fillGrey(image, { low, high }, values) {
  const [card, ink] = [token("card"), token("ink")];
  const { data } = image;
  for (let i = 0, p = 0; p < data.length; i += 1, p += 4) {
    const share = clamp((values[i] - low) / (high - low));
    data[p] = card[0] + (ink[0] - card[0]) * share;
    data[p + 1] = card[1] + (ink[1] - card[1]) * share;
    data[p + 2] = card[2] + (ink[2] - card[2]) * share;
    data[p + 3] = 255;
  }
  return image;
}

/** @param {ImageData} image @param {Look} look @param {ArrayLike<number>} values */
function fillColour(image, { low, high }, values) {
  const { data } = image;
  const plane = data.length / 4;
  for (let i = 0, p = 0; i < plane; i += 1, p += 4) {
    for (let c = 0; c < 3; c += 1) data[p + c] = 255 * clamp((values[c * plane + i] - low) / (high - low));
    data[p + 3] = 255;
  }
  return image;
}

/** @param {ImageData} image @param {Look} look @param {ArrayLike<number>} x @param {ArrayLike<number>} y */
function fillLost(image, { low, high, shape }, x, y) {
  const [card, red] = [token("card"), token("loss")];
  const { data } = image;
  const plane = data.length / 4;
  const channels = shape.length > 2 ? shape[0] : 1;
  for (let i = 0, p = 0; i < plane; i += 1, p += 4) {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) sum += Math.abs(x[c * plane + i] - y[c * plane + i]);
    const share = clamp(sum / channels / (high - low));
    for (let c = 0; c < 3; c += 1) data[p + c] = card[c] + (red[c] - card[c]) * share;
    data[p + 3] = 255;
  }
  return image;
}

/**
 * A curve for each channel; what was lost is the red ground between it and the other, with the curve itself faint: a
 * loss is as large as it looks beside the object.
 * @param {CanvasRenderingContext2D} context @param {Look} look @param {Subject} subject @param {number} w @param {number} h
 */
function paintLine(context, look, { values, lost }, w, h) {
  const channels = look.shape.length > 1 ? look.shape[0] : 1;
  const length = look.shape.at(-1) ?? 1;
  const place = placer(look, length, w, h);
  const alpha = (lost ? 0.3 : 1) * (channels > 1 ? 0.6 : 1);
  for (let c = 0; c < channels; c += 1) {
    const curve = trace(values, c * length, length, place);
    if (lost) fillBetween(context, curve, trace(lost, c * length, length, place));
    strokeAlong(context, curve, css(token("ink"), alpha));
  }
}

/** @param {Look} look @param {number} length @param {number} w @param {number} h */
function placer({ low, high }, length, w, h) {
  const inset = SERIES_INSET * h;
  const y = (value) => h - inset - clamp((value - low) / (high - low)) * (h - 2 * inset);
  return (i, value) => [length > 1 ? 1 + (i / (length - 1)) * (w - 2) : w / 2, y(value)];
}

/** @param {ArrayLike<number>} values @param {number} from @param {number} length @param {(i: number, value: number) => number[]} place */
const trace = (values, from, length, place) => Array.from({ length }, (_, i) => place(i, values[from + i]));

/** @param {CanvasRenderingContext2D} context @param {number[][]} points @param {string} colour */
function strokeAlong(context, points, colour) {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  Object.assign(context, { strokeStyle: colour, lineWidth: 1.25, lineJoin: "round" });
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} upper @param {number[][]} lower */
function fillBetween(context, upper, lower) {
  context.beginPath();
  [...upper, ...lower.reverse()].forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.fillStyle = css(token("loss"), 0.75);
  context.fill();
}

/**
 * A sound: the smallest and largest sample of each column.
 * @param {CanvasRenderingContext2D} context @param {Look} look @param {Subject} subject @param {number} w @param {number} h
 */
function paintWave(context, look, { values, lost }, w, h) {
  const reach = Math.max(Math.abs(look.low), Math.abs(look.high)) || 1;
  const columns = Math.max(1, Math.floor(w));
  context.fillStyle = css(token(lost ? "loss" : "ink"));
  for (let column = 0; column < columns; column += 1) {
    const [from, to] = [column, column + 1].map((at) => Math.floor((at * values.length) / columns));
    let [least, most] = [Infinity, -Infinity];
    for (let i = from; i < Math.max(to, from + 1); i += 1) {
      const value = lost ? values[i] - lost[i] : values[i];
      [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
    const top = h / 2 - (most / reach) * (h / 2);
    context.fillRect(column, top, 1, Math.max(1, ((most - least) / reach) * (h / 2)));
  }
}

/**
 * A table row: a bar for each column, from the middle of its range.
 * @param {CanvasRenderingContext2D} context @param {Look} look @param {Subject} subject @param {number} w @param {number} h
 */
function paintBars(context, { low, high, ink = "ink" }, { values, lost }, w, h) {
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const middle = low >= 0 ? h : h / 2;
  const step = w / values.length;
  context.fillStyle = css(token("line"));
  context.fillRect(0, middle - 0.5, w, 1);
  context.fillStyle = css(token(lost ? "loss" : ink));
  for (let i = 0; i < values.length; i += 1) {
    const value = lost ? Math.abs(values[i] - lost[i]) : values[i];
    const height = Math.max(-1, Math.min(1, value / reach)) * (low >= 0 ? h : h / 2);
    context.fillRect(i * step, Math.min(middle, middle - height), Math.max(1, step - 1), Math.max(0.5, Math.abs(height)));
  }
}

/** @param {number} share */
const clamp = (share) => (share > 0 ? (share < 1 ? share : 1) : 0);

/**
 * Values of a tile frame back in scaled units.
 * @param {{values: number, bytes: Uint8Array}} tiles
 * @param {number} index
 * @param {Look} look
 */
export function tileValues({ values, bytes }, index, { low, high }) {
  const out = new Float32Array(values);
  const step = (high - low) / 255;
  for (let i = 0, at = index * values; i < values; i += 1) out[i] = low + bytes[at + i] * step;
  return out;
}
