// Losses with their gradients on logits or predictions z: out[0] = sum of weight * row loss, out[1] = sum of weights,
// dz = d(out[0] / out[1]) / dz. All of them: z, dz f32[rows, n], dz may be z; weights f32[rows] or 0 (all ones);
// out f64[2]. Where the weights sum to 0, dz is 0. Errors are relative, in units of 2^-24, measured against f64.
import { exp_ps, log1p_ps } from "./math";
import {
  add_lanes, block_rows, exp_rows, lane_mask, promote_high, row_dot, row_scale, row_shift, row_sum,
} from "./rows";
import { store_tail } from "./simd";

function sum_weights(rows: i32, weights: usize): f64 {
  if (!weights) return rows as f64;
  let sum: f64 = 0;
  for (let i = 0; i < rows; i++) sum += load<f32>(weights + ((i as usize) << 2)) as f64;
  return sum;
}

/** log(1 + u) for u in [0, 1]. Not inlined: its two users gain next to nothing by it. */
function log1p(u: v128): v128 {
  return log1p_ps(u);
}

/** log(x) for x >= 1, to f32's relative precision also where x is just above 1; NaN for NaN. */
function log_f64(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  const exponent = ((bits >> 52) as i32) - 1023;
  const mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  const rest = f32x4.extract_lane(log1p(f32x4.splat((mantissa - 1.0) as f32)), 0);
  return (exponent as f64) * 0.6931471805599453 + (rest as f64);
}

/** Softmax and cross-entropy: row loss = log(sum_j exp(z_j)) - z_label; dz = (softmax(z) - onehot) * weight / sum.
 *  Shapes: labels i32[rows], each in 0..n-1.
 *  Error: dz 7 + |z - max z| / 2, at the label too; loss 2, where it is below 1e-5 as dz; below 1e-15 both may be 0. */
export function softmax_cross_entropy(
  rows: i32, n: i32, z: usize, ldz: i32, labels: usize, weights: usize, dz: usize, lddz: i32, out: usize,
): void {
  const stepZ = (ldz as usize) << 2;
  const stepDz = (lddz as usize) << 2;
  const sumWeights = sum_weights(rows, weights);
  const inverse = sumWeights != 0 ? 1.0 / sumWeights : 0.0;
  const block = block_rows(n);
  let total: f64 = 0;
  // Without weights the sum of logarithms is the logarithm of a product.
  let product: f64 = 1;
  for (let done = 0; done < rows; done += block) {
    const end = min(done + block, rows);
    let row = dz;
    for (let i = done; i < end; i++) {
      const at = (i as usize) << 2;
      const weight: f64 = weights ? (load<f32>(weights + at) as f64) : 1.0;
      const atLabel = load<f32>(z + ((load<i32>(labels + at) as usize) << 2)) as f64;
      total += weight * ((row_shift(n, z, row) as f64) - atLabel);
      z += stepZ;
      row += stepDz;
    }
    exp_rows(end - done, n, dz, stepDz);
    for (let i = done; i < end; i++) {
      const at = (i as usize) << 2;
      const sum = row_sum(n, dz);
      let weight: f64 = 1;
      if (weights) {
        weight = load<f32>(weights + at) as f64;
        total += weight * log_f64(sum);
      } else {
        product *= sum;
        if (product > 1e250) {
          total += log_f64(product);
          product = 1;
        }
      }
      const scale = (weight * inverse) / sum;
      const label = dz + ((load<i32>(labels + at) as usize) << 2);
      // In f64: p - 1 would cancel where the network is sure.
      const atLabel = ((load<f32>(label) as f64) - sum) * scale;
      row_scale(n, dz, scale as f32);
      store<f32>(label, atLabel as f32);
      dz += stepDz;
    }
  }
  store<f64>(out, total + log_f64(product));
  store<f64>(out, sumWeights, 8);
}

/** Softmax and cross-entropy with target rows: row loss = sum_j t_j * (log(sum_k exp(z_k)) - z_j);
 *  dz_j = (softmax(z)_j * sum(t) - t_j) * weight / sum.
 *  Shapes: targets f32[rows, n], one-hot or probabilities; they need not sum to 1.
 *  Error: as softmax_cross_entropy; dz of targets other than one-hot relative to softmax(z) sum(t) + t. */
export function softmax_cross_entropy_dense(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
): void {
  const stepZ = (ldz as usize) << 2;
  const stepT = (ldt as usize) << 2;
  const stepDz = (lddz as usize) << 2;
  const sumWeights = sum_weights(rows, weights);
  const inverse = sumWeights != 0 ? 1.0 / sumWeights : 0.0;
  const block = block_rows(n);
  let total: f64 = 0;
  for (let done = 0; done < rows; done += block) {
    const end = min(done + block, rows);
    let row = dz;
    for (let i = done; i < end; i++) {
      const weight: f64 = weights ? (load<f32>(weights + ((i as usize) << 2)) as f64) : 1.0;
      row_shift(n, z, row);
      total -= weight * row_dot(n, targets + (i as usize) * stepT, row);
      z += stepZ;
      row += stepDz;
    }
    exp_rows(end - done, n, dz, stepDz);
    for (let i = done; i < end; i++) {
      const weight: f64 = weights ? (load<f32>(weights + ((i as usize) << 2)) as f64) : 1.0;
      const t = targets + (i as usize) * stepT;
      const mass = row_sum(n, t);
      const sum = row_sum(n, dz);
      total += weight * mass * log_f64(sum);
      // (mass * e - sum * t) * scale, written so that it does not cancel where e = t = 1 and sum is nearly mass.
      const scale = (weight * inverse) / sum;
      const scaleE = f32x4.splat((mass * scale) as f32);
      const scaleT = f32x4.splat(((sum - mass) * scale) as f32);
      let at: usize = 0;
      for (let left = n; left > 0; left -= 4) {
        const target = v128.load(t + at);
        const e = v128.load(dz + at);
        const v = f32x4.sub(f32x4.mul(f32x4.sub(e, target), scaleE), f32x4.mul(target, scaleT));
        if (left >= 4) v128.store(dz + at, v);
        else store_tail(dz + at, v, left);
        at += 16;
      }
      dz += stepDz;
    }
  }
  store<f64>(out, total);
  store<f64>(out, sumWeights, 8);
}

const BINARY_CROSS_ENTROPY = 0;
const ABSOLUTE_ERROR = 1;
const HUBER = 2;

/** The losses that are a mean over elements; `factor` multiplies loss and gradient. */
function element_loss(
  kind: i32, factor: f64, rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize,
  dz: usize, lddz: i32, out: usize, delta: f32,
): void {
  const stepZ = (ldz as usize) << 2;
  const stepT = (ldt as usize) << 2;
  const stepDz = (lddz as usize) << 2;
  const sumWeights = sum_weights(rows, weights);
  const scale = f32x4.splat((sumWeights != 0 ? factor / (sumWeights * (n as f64)) : 0.0) as f32);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const limit = f32x4.splat(delta);
  // Gapless rows of one weight, or of one element, are one long row: narrow outputs would leave lanes idle.
  let count = rows;
  let width = n;
  let laneWeights = false;
  if (ldz == n && ldt == n && lddz == n && (!weights || n == 1)) {
    count = 1;
    width = rows * n;
    laneWeights = weights != 0;
  }
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let w = one;
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
        const e = exp_ps(f32x4.neg(f32x4.abs(x)));
        const rest = f32x4.sub(one, t);
        const positive = f32x4.gt(x, zero);
        const u = v128.bitselect(f32x4.neg(t), rest, positive);
        const v = v128.bitselect(rest, f32x4.neg(t), positive);
        gradient = f32x4.div(f32x4.add(f32x4.mul(u, e), v), f32x4.add(one, e));
        // max(x, 0) - x t + log(1 + e); the first two are x (1 - t) or -x t.
        loss = f32x4.add(f32x4.mul(x, v), log1p(e));
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
        store_tail(dz + at, gradient, left);
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
  store<f64>(out, (add_lanes(a, b) * factor) / (n as f64));
  store<f64>(out, sumWeights, 8);
}

/** Sigmoid and binary cross-entropy: row loss = mean_j(max(z, 0) - z t + log(1 + exp(-|z|)));
 *  dz = (sigmoid(z) - t) * weight / (sum * n).
 *  Shapes: targets f32[rows, n] in [0, 1].
 *  Error: loss 2; dz 5, also where the network is sure (between targets 0 and 1 relative to its terms). */
export function sigmoid_binary_cross_entropy(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
): void {
  element_loss(BINARY_CROSS_ENTROPY, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, 0);
}

/** Row loss = mean_j((z - t)^2); dz = 2 (z - t) * weight / (sum * n).
 *  Shapes: targets f32[rows, n].
 *  Error: loss 3, dz 4. */
export function mean_squared_error(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
): void {
  // Twice Huber's loss without a limit.
  element_loss(HUBER, 2, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, Infinity);
}

/** Row loss = mean_j|z - t|; dz = sign(z - t) * weight / (sum * n), sign(0) = 0.
 *  Shapes: targets f32[rows, n].
 *  Error: loss 1, dz 2. */
export function mean_absolute_error(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
): void {
  element_loss(ABSOLUTE_ERROR, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, 0);
}

/** Row loss = mean_j(d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)), d = z - t;
 *  dz = clamp(d, -delta, delta) * weight / (sum * n).
 *  Shapes: targets f32[rows, n]; delta > 0.
 *  Error: loss 3, dz 4.
 *  Source: torch.nn.HuberLoss. */
export function huber(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  delta: f32,
): void {
  element_loss(HUBER, 1, rows, n, z, ldz, targets, ldt, weights, dz, lddz, out, delta);
}
