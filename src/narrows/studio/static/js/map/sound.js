/**
 * Sounds from objects: samples as they are, or spectrograms. Of those the model sees levels only, so the phases are
 * guessed: each tone goes on where the frame before left it.
 *
 * References:
 *     Phase vocoder (Flanagan and Golden, 1966), doi 10.1002/j.1538-7305.1966.tb01706.x
 */

import { unscaled } from "narrows/nn/nn";

const LOUDEST = 0.5;
/** A sound of one frame lasts this many frames. */
const HELD_FRAMES = 40;

/** @type {AudioContext | null} */
let speaker = null;
/** @type {AudioBufferSourceNode | null} */
let sounding = null;

/** @param {any} graph @param {any} layout */
export const playable = (graph, layout) => layout?.rate > 0 && ["sound", "series"].includes(graph?.kind) && "AudioContext" in window;

/** Whether a sound is told by its levels alone. @param {any} graph */
export const leveled = (graph) => graph?.kind === "sound";

/**
 * Play scaled values; what plays already is cut off.
 * @param {ArrayLike<number>} values (C, L) samples, or (D,) or (1, D, frames) levels @param {any} graph @param {any} layout
 */
export function play(values, graph, layout) {
  const raw = unscaled(values, graph);
  const [bins, frames] = graph.shape.length > 1 ? graph.shape.slice(-2) : [graph.shape[0], 1];
  const samples = leveled(graph) ? soundOf(raw, bins, frames) : loud(raw.slice(0, graph.shape.at(-1)));
  speaker ??= new AudioContext();
  sounding?.stop();
  const buffer = speaker.createBuffer(1, samples.length, layout.rate);
  buffer.getChannelData(0).set(samples);
  sounding = speaker.createBufferSource();
  sounding.buffer = buffer;
  sounding.connect(speaker.destination);
  sounding.start();
}

/**
 * Samples of levels by overlapping frames.
 * @param {Float32Array} decibels (bins, frames) @param {number} bins @param {number} frames
 * @returns {Float32Array} -1..1
 */
export function soundOf(decibels, bins, frames) {
  const window = 2 * (bins - 1);
  const hop = window / 2;
  const count = frames === 1 ? HELD_FRAMES : frames;
  const out = new Float32Array(hop * (count + 1));
  const phases = Float64Array.from({ length: bins }, (_, k) => (k * k * Math.PI * 0.6180339887) % (2 * Math.PI));
  for (let frame = 0; frame < count; frame += 1) {
    const column = frames === 1 ? 0 : frame;
    const [real, imaginary] = [new Float64Array(window), new Float64Array(window)];
    for (let k = 0; k < bins; k += 1) {
      const size = 10 ** (decibels[k * frames + column] / 20);
      // The middle of bin k turns by k half-turns a hop; a little more keeps neighbours from beating in step.
      phases[k] += Math.PI * k + 0.3;
      real[k] = size * Math.cos(phases[k]);
      imaginary[k] = size * Math.sin(phases[k]);
      if (k > 0 && k < bins - 1) [real[window - k], imaginary[window - k]] = [real[k], -imaginary[k]];
    }
    transform(real, imaginary);
    for (let i = 0; i < window; i += 1) out[frame * hop + i] += real[i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  }
  return loud(out);
}

/** Samples brought to a level that does not hurt. @param {Float32Array} samples */
function loud(samples) {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  return samples.map((value) => (value * LOUDEST) / peak);
}

/** The inverse Fourier transform in place, unscaled; any length, by halves while it is even. */
function transform(real, imaginary) {
  const n = real.length;
  if (n === 1) return;
  if (n % 2) return slow(real, imaginary);
  const half = n / 2;
  const parts = [0, 1].map((odd) => [0, 1].map((which) => Float64Array.from({ length: half }, (_, i) => (which ? imaginary : real)[2 * i + odd])));
  parts.forEach(([re, im]) => transform(re, im));
  const [[evenRe, evenIm], [oddRe, oddIm]] = parts;
  for (let k = 0; k < half; k += 1) {
    const [cos, sin] = [Math.cos((2 * Math.PI * k) / n), Math.sin((2 * Math.PI * k) / n)];
    const [re, im] = [oddRe[k] * cos - oddIm[k] * sin, oddRe[k] * sin + oddIm[k] * cos];
    [real[k], imaginary[k]] = [evenRe[k] + re, evenIm[k] + im];
    [real[k + half], imaginary[k + half]] = [evenRe[k] - re, evenIm[k] - im];
  }
}

function slow(real, imaginary) {
  const [re, im] = [real.slice(), imaginary.slice()];
  const n = re.length;
  for (let i = 0; i < n; i += 1) {
    [real[i], imaginary[i]] = [0, 0];
    for (let k = 0; k < n; k += 1) {
      const angle = (2 * Math.PI * i * k) / n;
      real[i] += re[k] * Math.cos(angle) - im[k] * Math.sin(angle);
      imaginary[i] += re[k] * Math.sin(angle) + im[k] * Math.cos(angle);
    }
  }
}
