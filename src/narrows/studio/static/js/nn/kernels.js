/**
 * The inner loops of a network: where nearly all its time goes.
 *
 * Matrices are read row by row, in the order they stand in memory. Four rows are multiplied at once, with two inputs
 * where there are two: each number that is read is then used several times. Sums are kept in double precision, which
 * a browser computes faster than rounded ones.
 */

/**
 * Rows of inputs times a matrix: y[at + o * across + p * along] = bias[o] + sum over i of x[p, i] * weight[o, i].
 * @param {Float32Array} x Inputs (count, n).
 * @param {number} count
 * @param {number} n Numbers of an input.
 * @param {Float32Array} weight (m, n).
 * @param {number} m Outputs of an input.
 * @param {Float32Array} bias (m,).
 * @param {Float32Array} y Where the outputs go.
 * @param {number} at Place of the first.
 * @param {number} across From one output of an input to the next.
 * @param {number} along From one input to the next.
 */
export function multiply(x, count, n, weight, m, bias, y, at, across, along) {
  let p = 0;
  for (; p + 2 <= count; p += 2) two(x, p * n, n, weight, m, bias, y, at + p * along, across, along);
  if (p < count) one(x, p * n, n, weight, m, bias, 0, y, at + p * along, across);
}

/**
 * One input at `from` times a matrix, added to a bias that begins at `base`.
 * @param {Float32Array} x @param {number} from @param {number} n @param {Float32Array} weight @param {number} m
 * @param {Float32Array} bias @param {number} base @param {Float32Array} y @param {number} at @param {number} across
 */
export function one(x, from, n, weight, m, bias, base, y, at, across) {
  let o = 0;
  for (; o + 4 <= m; o += 4) {
    const w0 = o * n;
    const w1 = w0 + n;
    const w2 = w1 + n;
    const w3 = w2 + n;
    let a = bias[base + o];
    let b = bias[base + o + 1];
    let c = bias[base + o + 2];
    let d = bias[base + o + 3];
    for (let i = 0; i < n; i += 1) {
      const v = x[from + i];
      a += v * weight[w0 + i];
      b += v * weight[w1 + i];
      c += v * weight[w2 + i];
      d += v * weight[w3 + i];
    }
    const to = at + o * across;
    y[to] = a;
    y[to + across] = b;
    y[to + 2 * across] = c;
    y[to + 3 * across] = d;
  }
  for (; o < m; o += 1) y[at + o * across] = bias[base + o] + dot(x, from, weight, o * n, n);
}

/**
 * Two inputs, one after the other in memory, times a matrix.
 * @param {Float32Array} x @param {number} from @param {number} n @param {Float32Array} weight @param {number} m
 * @param {Float32Array} bias @param {Float32Array} y @param {number} at @param {number} across @param {number} along
 */
function two(x, from, n, weight, m, bias, y, at, across, along) {
  let o = 0;
  for (; o + 4 <= m; o += 4) {
    const w0 = o * n;
    const w1 = w0 + n;
    const w2 = w1 + n;
    const w3 = w2 + n;
    const second = from + n;
    let a = bias[o];
    let b = bias[o + 1];
    let c = bias[o + 2];
    let d = bias[o + 3];
    let e = a;
    let f = b;
    let g = c;
    let h = d;
    for (let i = 0; i < n; i += 1) {
      const u = x[from + i];
      const v = x[second + i];
      const p = weight[w0 + i];
      const q = weight[w1 + i];
      const r = weight[w2 + i];
      const s = weight[w3 + i];
      a += u * p;
      b += u * q;
      c += u * r;
      d += u * s;
      e += v * p;
      f += v * q;
      g += v * r;
      h += v * s;
    }
    const to = at + o * across;
    y[to] = a;
    y[to + across] = b;
    y[to + 2 * across] = c;
    y[to + 3 * across] = d;
    y[to + along] = e;
    y[to + along + across] = f;
    y[to + along + 2 * across] = g;
    y[to + along + 3 * across] = h;
  }
  for (; o < m; o += 1) {
    y[at + o * across] = bias[o] + dot(x, from, weight, o * n, n);
    y[at + o * across + along] = bias[o] + dot(x, from + n, weight, o * n, n);
  }
}

/** @param {Float32Array} x @param {number} from @param {Float32Array} w @param {number} at @param {number} n */
function dot(x, from, w, at, n) {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += x[from + i] * w[at + i];
  return sum;
}

/**
 * Sides of a convolution; one with a single side is one of height 1.
 * @typedef {{channels: number, height: number, width: number, out: number, outHeight: number, outWidth: number,
 *   tall: number, wide: number, down: number, across: number, top: number, left: number}} Window
 *   Input (channels, height, width), output (out, outHeight, outWidth), kernel (tall, wide), stride (down, across),
 *   padding (top, left).
 */

/**
 * What each place of one row of a convolution's output sees: (outWidth, channels * tall * wide).
 * @param {Float32Array} x @param {Window} g @param {number} row @param {Float32Array} patches
 */
export function gather(x, g, row, patches) {
  const { channels, height, width, tall, wide } = g;
  const top = row * g.down - g.top;
  let at = 0;
  for (let column = 0; column < g.outWidth; column += 1) {
    const left = column * g.across - g.left;
    for (let c = 0; c < channels; c += 1) {
      for (let i = 0; i < tall; i += 1) {
        const y = top + i;
        const inside = y >= 0 && y < height;
        const line = (c * height + y) * width + left;
        for (let j = 0; j < wide; j += 1, at += 1) {
          const here = inside && left + j >= 0 && left + j < width;
          patches[at] = here ? x[line + j] : 0;
        }
      }
    }
  }
}

/**
 * Add what one row of a transposed convolution's input spreads, (width, out * tall * wide), to its output.
 * @param {Float32Array} spread @param {Window} g @param {number} row @param {Float32Array} y
 */
export function scatter(spread, g, row, y) {
  const { out, outHeight, outWidth, tall, wide } = g;
  const top = row * g.down - g.top;
  let at = 0;
  for (let column = 0; column < g.width; column += 1) {
    const left = column * g.across - g.left;
    for (let c = 0; c < out; c += 1) {
      for (let i = 0; i < tall; i += 1) {
        const inside = top + i >= 0 && top + i < outHeight;
        const line = (c * outHeight + top + i) * outWidth + left;
        for (let j = 0; j < wide; j += 1, at += 1) {
          if (inside && left + j >= 0 && left + j < outWidth) y[line + j] += spread[at];
        }
      }
    }
  }
}
