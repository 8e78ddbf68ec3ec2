/**
 * Maps turned to match: codes of two models mean the same only up to a turn, so each map is turned or mirrored to lie
 * as near as can be to the first one. Nothing is stretched.
 *
 * References:
 *     A generalized solution of the orthogonal Procrustes problem (Schoenemann, 1966), doi 10.1007/BF02289451
 */

const LOOKED_AT = 500;

/**
 * The turn (a, b, c, d) that brings points nearest to others: x' = a x + b y, y' = c x + d y.
 * @param {Float32Array} own x0, y0, x1, y1 ... @param {Float32Array} other Places of the same objects.
 */
export function turnTo(own, other) {
  const count = Math.min(own.length, other.length, 2 * LOOKED_AT) / 2;
  const [p, q] = [middle(own, count), middle(other, count)];
  let [xx, xy, yx, yy] = [0, 0, 0, 0];
  for (let i = 0; i < 2 * count; i += 2) {
    const [px, py, qx, qy] = [own[i] - p.x, own[i + 1] - p.y, other[i] - q.x, other[i + 1] - q.y];
    xx += px * qx;
    xy += px * qy;
    yx += py * qx;
    yy += py * qy;
  }
  const turned = { cos: xx + yy, sin: xy - yx };
  const mirrored = { cos: xx - yy, sin: xy + yx };
  const plain = Math.hypot(turned.cos, turned.sin) >= Math.hypot(mirrored.cos, mirrored.sin);
  const { cos, sin } = plain ? turned : mirrored;
  const size = Math.hypot(cos, sin) || 1;
  const [c, s] = [cos / size, sin / size];
  return plain ? [c, -s, s, c] : [c, s, s, -c];
}

/** @param {Float32Array} xy @param {number} count */
function middle(xy, count) {
  let [x, y] = [0, 0];
  for (let i = 0; i < 2 * count; i += 2) {
    x += xy[i] / count;
    y += xy[i + 1] / count;
  }
  return { x, y };
}

/** @param {Float32Array} xy @param {number[]} turn */
export function turned(xy, [a, b, c, d]) {
  const out = new Float32Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    out[i] = a * xy[i] + b * xy[i + 1];
    out[i + 1] = c * xy[i] + d * xy[i + 1];
  }
  return out;
}
