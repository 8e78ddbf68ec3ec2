/** What the tour tells: each chapter a claim, a live figure, something to do, and a way to break it. */

import { FIRST, within } from "narrows/state/studio";
import { Course, Pairs, Plane, Scores, ThroughCode } from "narrows/learn/figures";
import { Noise, OddOnes } from "narrows/learn/odd";
import { Choose, Sizes } from "narrows/learn/trials";
import { blurred, collapsed, copied, fooled, learnedByHeart, poorer, stillNoisy, unmoved } from "narrows/learn/proofs";
import { html } from "narrows/page/html";

/**
 * @typedef {import("narrows/state/studio").Studio} Studio
 * @typedef {import("narrows/state/link").Recipe} Recipe
 * @typedef {{studio: Studio, mark: (what: string) => void, train: (settings: Recipe) => void, marks: Set<string>}} Stage
 *   What a chapter's pieces get: `mark` notes what the reader did, `train` runs the chapter's recipe with changes.
 * @typedef {import("narrows/learn/about").About} About
 * @typedef {{button: string, settings: Recipe, watch: string, why: string, proof: import("narrows/learn/proofs").Proof}} Break
 *   A way to break the claim: `watch` says before what to look for, `why` afterwards what came of it, `proof` in figures.
 * @typedef {{say: any, done: (stage: Stage) => boolean, button?: string, settings?: Recipe}} Task
 * @typedef {{name: string, title: string, words: (about: About) => any, settings: Recipe, figure: (stage: Stage) => any,
 *   tasks: Task[], breaks: Break}} Chapter
 */

/** The recipe of a chapter: the first one of the page, with changes. @param {Recipe} changes @returns {Recipe} */
export const recipeOf = (changes) => ({ ...FIRST, ...changes });

/** Whether the run looked at was trained with these settings. @param {Studio} studio @param {Recipe} settings */
export function isTrained(studio, settings) {
  const trained = studio.run.value?.detail.value?.recipe;
  return Boolean(trained) && within(recipeOf(settings), trained);
}

/** A first task: train what the chapter is about. @param {any} say @param {Recipe} [settings] @returns {Task} */
const trainFirst = (say, settings) => ({
  say,
  button: "Set it up and train",
  settings,
  done: ({ studio }) => isTrained(studio, settings ?? {}) && studio.run.value.epochs.value.length >= 3,
});

/** @param {any} say @param {string} what @returns {Task} */
const doOnce = (say, what) => ({ say, done: ({ marks }) => marks.has(what) });

/** @param {any} say @param {string} prefix @param {number} count @returns {Task} */
const doSome = (say, prefix, count) => ({ say, done: ({ marks }) => [...marks].filter((mark) => mark.startsWith(prefix)).length >= count });

const NOISY = { corruption: { kind: "gaussian", sigma: 0.3 }, bottleneck: { kind: "plain", size: 16 } };
const SIXTEEN = { bottleneck: { kind: "plain", size: 16 } };
const FAST = { ...FIRST.training, rate: 0.2 };

/** The bottlenecks of the fourth chapter. */
const KINDS = [
  { name: "plain", settings: { bottleneck: { kind: "plain", size: 2 } }, says: "Two numbers, nothing asked of them. They may be of any size, and places between two codes may decode to nothing sensible." },
  { name: "sparse", settings: { bottleneck: { kind: "sparse-topk", size: 32, k: 4 } }, says: "Thirty-two numbers, of which each picture may use four. Units become specialists: a stroke here, a loop there." },
  { name: "variational", settings: { bottleneck: { kind: "variational", size: 2, beta: 0.1 } }, says: "A cloud instead of a point, drawn towards the origin. Gaps close: any place of the plane decodes to something like a digit." },
  { name: "VQ", settings: { bottleneck: { kind: "vq", size: 8, group: 2, entries: 16 } }, says: "Each pair of numbers must be one of sixteen entries of a codebook: four choices of sixteen, 16 bits for a picture." },
  { name: "FSQ", settings: { bottleneck: { kind: "fsq", size: 8, levels: 8 } }, says: "Each number is rounded to one of eight steps: 24 bits for a picture, and no codebook to keep alive." },
];

/** The networks of the fifth. */
const NETWORKS = [
  { name: "dense", settings: { network: { kind: "dense", widths: [64, 32] } }, says: "Every unit sees every pixel. It knows nothing of neighbours, and pays a weight for each pair." },
  { name: "conv", settings: { network: { kind: "conv", channels: [16, 32] } }, says: "Small filters slide over the picture: the same weights everywhere, so a stroke is found wherever it stands." },
  { name: "LSTM", settings: { network: { kind: "lstm", hidden: 32 } }, says: "Reads the picture row by row and keeps a memory. At home with heartbeats and machines; on pictures it shows how much order matters." },
];

/** @type {Chapter[]} */
export const CHAPTERS = [
  {
    name: "copy",
    title: "Copy, through a narrow place",
    words: ({ thing, made, code }) => html`<p>An <b>autoencoder</b> is a network that learns to give back what it was given. Nobody labels anything: the ${thing} is both the question and the answer.</p>
      <p>That would be easy if the ${thing} could walk straight through. It cannot: in the middle only <b>${code}</b> may pass, for ${made}. What comes out shows what ${code === "one number" ? "the one number" : `the ${code}`} kept.</p>`,
    settings: {},
    figure: ({ studio }) => html`<${Pairs} studio=${studio} /><${Course} studio=${studio} />`,
    tasks: [
      trainFirst("Watch it learn: the rows change ten times a second, and the error falls."),
      doOnce(html`Pause it (the round button above, or the <kbd>space</kbd> bar), or let it end, and compare <i>in</i> with <i>out</i>.`, "paused"),
    ],
    breaks: {
      button: "Break it: learning rate × 100",
      settings: { training: FAST },
      watch: "Every step will be a hundred times as long. Watch whether the outputs still differ from each other, and whether the error beats that of always giving the mean picture.",
      why: "Each step jumped a hundred times too far: the weights were thrown about, and what comes out is nearly the same blur for every picture. A learning rate is a step length, and nothing else matters if it is wrong.",
      proof: blurred,
    },
  },
  {
    name: "parts",
    title: "Three parts",
    words: ({ thing }) => html`<p>The <b class="encoder">encoder</b> turns the ${thing} into numbers. The <b class="code">bottleneck</b> is those numbers: the <b>code</b>. The <b class="decoder">decoder</b> turns the code into a ${thing} again, and it sees nothing but the code.</p>
      <p>So you can write a code yourself. Move a number of it: the decoder draws what it believes such a ${thing} looks like.</p>`,
    settings: {},
    figure: (stage) => html`<${ThroughCode} studio=${stage.studio} onHold=${() => stage.mark("held")} />`,
    tasks: [
      trainFirst("Train the two numbers."),
      doOnce("Move a number of the code, and watch the output. The input stays as it was.", "held"),
    ],
    breaks: {
      button: "Break it: a bottleneck of 1",
      settings: { bottleneck: { kind: "plain", size: 1 } },
      watch: "One number will have to do what two did. Watch what the slider walks through, and how far the error rises.",
      why: "One number is a line. All digits have to stand in a queue on it, and the decoder can only morph along the queue: sliding it shows them one after the other.",
      proof: poorer,
    },
  },
  {
    name: "narrow",
    title: "Why the bottleneck",
    words: () => html`<p>The narrower the passage, the more has to be <b>understood</b> to get through: with two numbers only which digit and how it leans, with sixteen the strokes, with sixty-four everything, and then nothing needs understanding at all.</p>
      <p>The measure beside it is <b>PCA</b>, the best that straight lines can do with as many numbers. A network that does not beat it has not earned its keep.</p>`,
    settings: {},
    figure: (stage) => html`<${Sizes} stage=${stage} /><${Pairs} studio=${stage.studio} count=${6} />`,
    tasks: [doSome("Train three sizes of the code. The table remembers them.", "size ", 3)],
    breaks: {
      button: "Break it: as wide as the picture",
      settings: { network: { kind: "dense", widths: [256, 256] }, bottleneck: { kind: "plain", size: 64 } },
      watch: "The code will have as many numbers as the picture has pixels, with wide layers around it. Watch the error, and ask what the code then says.",
      why: "Sixty-four numbers for sixty-four pixels, and wide layers around them: nothing is narrow any more, so it may copy. The error falls to almost nothing, and the code says no more than the pixels did.",
      proof: copied,
    },
  },
  {
    name: "kinds",
    title: "Kinds of bottleneck",
    words: () => html`<p>A code can be made narrow in more ways than by being short. It may be <b>sparse</b> (long, but mostly zero), <b>noisy</b> (variational: a cloud, so that neighbours mean similar things), or <b>counted</b> (VQ and FSQ: whole numbers, which can be stored as bits).</p>`,
    settings: { bottleneck: { kind: "plain", size: 2 } },
    figure: (stage) => html`<${Choose} stage=${stage} label="Kind of bottleneck" choices=${KINDS} prefix="kind " />
      <${ThroughCode} studio=${stage.studio} /><${Pairs} studio=${stage.studio} count=${6} /><${Scores} studio=${stage.studio} />`,
    tasks: [doSome("Train three kinds. What does the code of one picture look like in each?", "kind ", 3)],
    breaks: {
      button: "Break it: a cloud too large",
      settings: { bottleneck: { kind: "variational", size: 2, beta: 100 } },
      watch: "To be anything but the one standard cloud will cost a hundred times as much. Watch whether the outputs still differ.",
      why: "Passing anything cost more than it saved, so nothing passes: every picture gets the same cloud, and every output is the mean digit. This is called posterior collapse.",
      proof: collapsed,
    },
  },
  {
    name: "networks",
    title: "Dense, conv, LSTM",
    words: () => html`<p>Encoder and decoder can be built from any layers. What they <b>assume</b> about the data is what they are good at: dense layers assume nothing, convolutions assume that neighbours belong together, an LSTM assumes that things come one after the other.</p>`,
    settings: SIXTEEN,
    figure: (stage) => html`<${Choose} stage=${stage} label="Network" choices=${NETWORKS} prefix="network " base=${SIXTEEN} />
      <${Pairs} studio=${stage.studio} /><${Scores} studio=${stage.studio} />`,
    tasks: [doSome("Train all three on the same digits, with the same sixteen numbers in the middle.", "network ", 3)],
    breaks: {
      button: "Break it: one single filter",
      settings: { ...SIXTEEN, network: { kind: "conv", channels: [1] } },
      watch: "The encoder will have one filter for everything. Watch the error beside that of the networks before.",
      why: "One filter has to be everything at once: edges, loops, dots. The sixteen numbers stay half empty, because the encoder has nothing to put into them.",
      proof: poorer,
    },
  },
  {
    name: "noise",
    title: "Noise in, clean out",
    words: () => html`<p>Spoil the input, but ask for the clean picture back: a <b>denoising</b> autoencoder. Noise has no pattern, so it does not fit through the bottleneck; digits have one, so they do.</p>
      <p>The same trick removes watermarks, fills gaps, and cleans sound: change what is done to the input, and keep the question.</p>`,
    settings: NOISY,
    figure: (stage) => html`<${Noise} studio=${stage.studio} onNoise=${() => stage.mark("noise")} />`,
    tasks: [trainFirst("Train it with noise on every input.", NOISY), doOnce("Slide the noise: how much can it take?", "noise")],
    breaks: {
      button: "Break it: train without noise",
      settings: SIXTEEN,
      watch: "It will be trained on clean pictures only, and then be shown noisy ones. Watch what it makes of the specks.",
      why: "It has never seen noise, so it takes the specks for strokes, and its output carries them on. Nothing was learned that was not asked for.",
      proof: stillNoisy,
    },
  },
  {
    name: "space",
    title: "The latent space",
    words: () => html`<p>Each picture has a place: its code. Pictures that are alike come to lie together, and so <b>clusters</b> appear, although no one told it the classes (the colours were added afterwards).</p>
      <p>A cluster means: <i>these need similar numbers to be redrawn</i>. It does not promise a class, nor that distance is meaning: between two clusters may be ground where nothing real lives.</p>`,
    settings: {},
    figure: (stage) => html`<${Plane} studio=${stage.studio} onDrag=${() => stage.mark("dragged")} />`,
    tasks: [
      trainFirst("Watch the clusters form."),
      doOnce("Drag from one cluster to another, over the empty ground. What does the decoder draw there?", "dragged"),
    ],
    breaks: {
      button: "Break it: no learning",
      settings: { training: { ...FIRST.training, rate: 1e-6 } },
      watch: "The steps will be so short that the weights stay where chance put them. Watch whether the map still shows some order.",
      why: "The weights hardly moved from their first random values. Some order shows even so: a random projection keeps a little of what was near. Whatever a map shows, compare it with this one.",
      proof: unmoved,
    },
  },
  {
    name: "odd",
    title: "Odd ones out",
    words: () => html`<p>What an autoencoder has learned it redraws well; what it has never seen it redraws <b>badly</b>. So the error is an alarm: for fraud among card payments, for a heartbeat out of step, for a crack in a part.</p>`,
    settings: { bottleneck: { kind: "plain", size: 8 } },
    figure: (stage) => html`<${OddOnes} studio=${stage.studio} onOdd=${() => stage.mark("odd")} />`,
    tasks: [
      trainFirst("Train it on digits as they are.", { bottleneck: { kind: "plain", size: 8 } }),
      doOnce("Make a picture odd, and see where its error falls.", "odd"),
    ],
    breaks: {
      button: "Break it: no learning",
      settings: { bottleneck: { kind: "plain", size: 8 }, training: { ...FIRST.training, rate: 1e-6 } },
      watch: "The weights will stay where chance put them. Watch what the error says then of a scrambled picture.",
      why: "It has learned nothing, and so nothing surprises it: a scrambled picture comes out no worse than a real one. The alarm was what it knew. (An inverted one still stands out, but only because there is more ink to miss.)",
      proof: fooled,
    },
  },
  {
    name: "wrong",
    title: "When it is the wrong tool",
    words: () => html`<ul>
        <li><b>Straight data, or little of it:</b> PCA is as good, exact, and done in a second. Look at the table before you keep a network.</li>
        <li><b>You have labels and want to predict them:</b> train a classifier; a code keeps what redraws, not what decides.</li>
        <li><b>You want new pictures:</b> diffusion models draw sharper ones. An autoencoder averages what it cannot tell apart.</li>
        <li><b>Every bit counts:</b> what was lost is lost; use zip or PNG.</li>
        <li><b>The odd ones are in the training data:</b> it learns to redraw them too.</li>
      </ul>`,
    settings: { network: { kind: "dense", widths: [] }, bottleneck: { kind: "plain", size: 2 } },
    figure: ({ studio }) => html`<${Scores} studio=${studio} /><${Course} studio=${studio} /><${Pairs} studio=${studio} count=${6} />`,
    tasks: [
      trainFirst("Train one without hidden layers: it is linear, so PCA is the best it can do. Does it get there?", {
        network: { kind: "dense", widths: [] },
        bottleneck: { kind: "plain", size: 2 },
      }),
    ],
    breaks: {
      button: "Break it: forty pictures to learn from",
      settings: { data: { name: "digits", limit: 40 }, bottleneck: { kind: "plain", size: 16 }, training: { ...FIRST.training, epochs: 1500 } },
      watch: "Forty pictures, over and over. Watch the two lines part: that of training (thin), and that of pictures it has not seen (violet).",
      why: "It learned the forty by heart: the error of training fell on, while that of pictures it has not seen stopped, or turned up again. Few objects ask for few weights, or for none.",
      proof: learnedByHeart,
    },
  },
];
