// The losses that are a mean over elements, with their gradients on logits or predictions z: out[0] = sum of weight * row loss, out[1] = sum of weights,
// dz = d(out[0] / out[1]) / dz. All of them: z, dz f32[rows, n], dz may be z; weights f32[rows] or 0 (all ones);
// out f64[2]. Where the weights sum to 0, dz is 0. Errors are relative, in units of 2^-24, measured against f64.
//
// running f64[5], zeros at first, or 0 (no address): the sums go on from there, row by row, so that they are those of all
// rows so far, however these are cut into calls.
import { store_few } from "./map";
import { exp_call, log1p_ps } from "./math";
import { add_lanes, lane_mask, promote_high, sum_weights } from "./rows";

const BINARY_CROSS_ENTROPY = 0;
const ABSOLUTE_ERROR = 1;
const HUBER = 2;

/** The losses that are a mean over elements; `factor` multiplies loss and gradient. */
function element_loss(
  kind: i32, factor: f64, rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize,
  dz: usize, lddz: i32, out: usize, delta: f32, running: usize,
): void {
  const stepZ = (ldz as usize) << 2;
  const stepT = (ldt as usize) << 2;
  const stepDz = (lddz as usize) << 2;
  const sumWeights = sum_weights(rows, weights, running);
  const scale = f32x4.splat((sumWeights != 0 ? factor / (sumWeights * (n as f64)) : 0.0) as f32);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const limit = f32x4.splat(delta);
  // Gapless rows of one weight, or of one element, are one long row: narrow outputs would leave lanes idle.
  let count = rows;
  let width = n;
  let laneWeights = false;
  if (!running && ldz == n && ldt == n && lddz == n && (!weights || n == 1)) {
    count = 1;
    width = rows * n;
    laneWeights = weights != 0;
  }
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let w = one;
  if (running) {
    a = v128.load(running);
    b = v128.load(running, 16);
  }
  for (let i = 0; i < count; i++) {
    if (weights && !laneWeights) w = v128.load32_splat(weights + ((i as usize) << 2));
    let at: usize = 0;
    for (let left = width; left > 0; left -= 4) {
      const x = v128.load(z + at);
      const t = v128.load(targets + at);
      if (laneWeights) w = v128.load(weights + at);
      let loss: v128;
      let gradient: v128;
      if (kind == BINARY_CROSS_ENTROPY) {
        // With e = exp(-|x|): sigmoid(x) - t = (u e + v) / (1 + e), which does not cancel.
        const e = exp_call(f32x4.neg(f32x4.abs(x)));
        const rest = f32x4.sub(one, t);
        const positive = f32x4.gt(x, zero);
        const u = v128.bitselect(f32x4.neg(t), rest, positive);
        const v = v128.bitselect(rest, f32x4.neg(t), positive);
        gradient = f32x4.div(f32x4.add(f32x4.mul(u, e), v), f32x4.add(one, e));
        // max(x, 0) - x t + log(1 + e); the first two are x (1 - t) or -x t.
        loss = f32x4.add(f32x4.mul(x, v), log1p_ps(e));
      } else {
        const d = f32x4.sub(x, t);
        const size = f32x4.abs(d);
        if (kind == ABSOLUTE_ERROR) {
          loss = size;
          gradient = v128.and(v128.or(v128.and(d, f32x4.splat(-0.0)), one), f32x4.ne(d, zero));
        } else {
          const inner = f32x4.pmin(size, limit);
          loss = f32x4.mul(inner, f32x4.sub(size, f32x4.mul(inner, f32x4.splat(0.5))));
          gradient = f32x4.pmax(f32x4.pmin(d, limit), f32x4.neg(limit));
        }
      }
      gradient = f32x4.mul(gradient, f32x4.mul(w, scale));
      let lossWeight = w;
      if (left >= 4) {
        v128.store(dz + at, gradient);
      } else {
        store_few(dz + at, gradient, left);
        loss = v128.and(loss, lane_mask(left));
        lossWeight = v128.and(w, lane_mask(left));
      }
      a = f64x2.add(a, f64x2.mul(f64x2.promote_low_f32x4(loss), f64x2.promote_low_f32x4(lossWeight)));
      b = f64x2.add(b, f64x2.mul(promote_high(loss), promote_high(lossWeight)));
      at += 16;
    }
    z += stepZ;
    targets += stepT;
    dz += stepDz;
  }
  if (running) {
    v128.store(running, a);
    v128.store(running, b, 16);
    store<f64>(running, sumWeights, 32);
  }
  store<f64>(out, (add_lanes(a, b) * factor) / (n as f64));
  store<f64>(out, sumWeights, 8);
}

/** Sigmoid and binary cross-entropy: row loss = mean_j(max(z, 0) - z t + log(1 + exp(-|z|)));
 *  dz = (sigmoid(z) - t) * weight / (sum * n).
 *  Shapes: targets f32[rows, n] in [0, 1].
 *  Error: loss 2; dz 5, also where the network is sure (between targets 0 and 1 relative to its terms). */
export function sigmoid_binary_cross_entropy(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  running: usize,
): void {
  element_loss(BINARY_CROSS_ENTROPY, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, 0, running);
}

/** Row loss = mean_j((z - t)^2); dz = 2 (z - t) * weight / (sum * n).
 *  Shapes: targets f32[rows, n].
 *  Error: loss 3, dz 4. */
export function mean_squared_error(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  running: usize,
): void {
  // Twice Huber's loss without a limit.
  element_loss(HUBER, 2, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, Infinity, running);
}

/** Row loss = mean_j|z - t|; dz = sign(z - t) * weight / (sum * n), sign(0) = 0.
 *  Shapes: targets f32[rows, n].
 *  Error: loss 1, dz 2. */
export function mean_absolute_error(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  running: usize,
): void {
  element_loss(ABSOLUTE_ERROR, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, 0, running);
}

/** Row loss = mean_j(d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)), d = z - t;
 *  dz = clamp(d, -delta, delta) * weight / (sum * n).
 *  Shapes: targets f32[rows, n]; delta > 0.
 *  Error: loss 3, dz 4.
 *  Source: torch.nn.HuberLoss. */
export function huber(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  delta: f32, running: usize,
): void {
  element_loss(HUBER, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, delta, running);
}
