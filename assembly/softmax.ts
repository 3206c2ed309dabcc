// Softmax and cross-entropy on logits. out[0] = sum of weight * row loss, out[1] = sum of weights,
// dz = d(out[0] / out[1]) / dz. The losses: z, dz f32[rows, n], dz may be z; weights f32[rows] or 0 (all ones);
// out f64[2]. Where the weights sum to 0, dz is 0. Errors are relative, in units of 2^-24, measured against f64.
// running f64[5] as in losses.ts.
import { store_few } from "./map";
import { log1p_ps } from "./math";
import { block_rows, exp_rows, row_dot, row_scale, row_shift, row_sum, sum_weights } from "./rows";
import { store_tail } from "./simd";

/** log(x) for x >= 1, to f32's relative precision also where x is just above 1; NaN for NaN. */
function log_f64(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  const exponent = ((bits >> 52) as i32) - 1023;
  const mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  const rest = f32x4.extract_lane(log1p_ps(f32x4.splat((mantissa - 1.0) as f32)), 0);
  return (exponent as f64) * 0.6931471805599453 + (rest as f64);
}

/** Softmax of rows: with `labels` or `targets` (one of them or none) the gradient of the cross-entropy, and out. */
function softmax_rows(
  rows: i32, n: i32, z: usize, ldz: i32, labels: usize, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32,
  out: usize, running: usize,
): void {
  const stepZ = (ldz as usize) << 2;
  const stepDz = (lddz as usize) << 2;
  const sumWeights = out ? sum_weights(rows, weights, running) : 1.0;
  const inverse = sumWeights != 0 ? 1.0 / sumWeights : 0.0;
  const block = block_rows(n);
  let total: f64 = 0;
  // Apart from the total, so that both have the order of the rows, wherever blocks end.
  let logs: f64 = 0;
  // Without weights the sum of logarithms is the logarithm of a product.
  let product: f64 = 1;
  if (running) {
    total = load<f64>(running);
    logs = load<f64>(running, 8);
    product = max(load<f64>(running, 16), 1.0);
  }
  for (let done = 0; done < rows; done += block) {
    const end = min(done + block, rows);
    let row = dz;
    for (let i = done; i < end; i++) {
      const at = (i as usize) << 2;
      const weight: f64 = weights ? (load<f32>(weights + at) as f64) : 1.0;
      // Before the row is shifted: dz may be z.
      const atLabel = labels ? (load<f32>(z + ((load<i32>(labels + at) as usize) << 2)) as f64) : 0.0;
      const top = row_shift(n, z, row) as f64;
      if (labels) total += weight * (top - atLabel);
      else if (targets) total -= weight * row_dot(n, targets + at * (ldt as usize), row);
      z += stepZ;
      row += stepDz;
    }
    exp_rows(end - done, n, dz, stepDz);
    for (let i = done; i < end; i++) {
      const at = (i as usize) << 2;
      const weight: f64 = weights ? (load<f32>(weights + at) as f64) : 1.0;
      const sum = row_sum(n, dz);
      const scale = (weight * inverse) / sum;
      if (targets) {
        const t = targets + at * (ldt as usize);
        const mass = row_sum(n, t);
        logs += weight * mass * log_f64(sum);
        // (mass * e - sum * t) * scale, written so that it does not cancel where e = t = 1 and sum is nearly mass.
        const scaleE = f32x4.splat((mass * scale) as f32);
        const scaleT = f32x4.splat(((sum - mass) * scale) as f32);
        let j: usize = 0;
        for (let left = n; left > 0; left -= 4) {
          const target = v128.load(t + j);
          const e = v128.load(dz + j);
          const v = f32x4.sub(f32x4.mul(f32x4.sub(e, target), scaleE), f32x4.mul(target, scaleT));
          if (left < 4) {
            store_few(dz + j, v, left);
            break;
          }
          v128.store(dz + j, v);
          j += 16;
        }
      } else {
        if (weights) {
          logs += weight * log_f64(sum);
        } else {
          product *= sum;
          if (product > 1e250) {
            logs += log_f64(product);
            product = 1;
          }
        }
        const label = labels ? dz + ((load<i32>(labels + at) as usize) << 2) : dz;
        // In f64: p - 1 would cancel where the network is sure.
        const atLabel = ((load<f32>(label) as f64) - (labels ? sum : 0.0)) * scale;
        row_scale(n, dz, scale as f32);
        if (labels) store<f32>(label, atLabel as f32);
      }
      dz += stepDz;
    }
  }
  if (!out) return;
  if (running) {
    store<f64>(running, total);
    store<f64>(running, logs, 8);
    store<f64>(running, product, 16);
    store<f64>(running, sumWeights, 32);
  }
  store<f64>(out, total + logs + log_f64(product));
  store<f64>(out, sumWeights, 8);
}

/** y = exp(x - max x) / sum exp(x - max x) by rows; the sum in f64.
 *  Shapes: x, y f32[rows, n]; y may be x.
 *  Error: relative <= (7 + |x - max x| / 2) 2^-24, measured against f64, where y is no denormal. */
export function softmax(rows: i32, n: i32, x: usize, ldx: i32, y: usize, ldy: i32): void {
  softmax_rows(rows, n, x, ldx, 0, 0, 0, 0, y, ldy, 0, 0);
}

/** dx = y * (dy - sum(dy * y)) by rows; the sum in f64.
 *  Shapes: y, dy, dx f32[rows, n]; y is softmax's output; dx may be dy.
 *  Error: <= 2.2 * 2^-24 * |y| (|dy| + sum |dy y|), measured against f64. */
export function softmax_backward(
  rows: i32, n: i32, y: usize, ldy: i32, dy: usize, lddy: i32, dx: usize, lddx: i32,
): void {
  const stepY = (ldy as usize) << 2;
  const stepDy = (lddy as usize) << 2;
  const stepDx = (lddx as usize) << 2;
  for (let i = 0; i < rows; i++) {
    const sum = f32x4.splat(row_dot(n, y, dy) as f32);
    let at: usize = 0;
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), sum));
      if (left >= 4) v128.store(dx + at, v);
      else store_tail(dx + at, v, left);
      at += 16;
    }
    y += stepY;
    dy += stepDy;
    dx += stepDx;
  }
}

/** Softmax and cross-entropy: row loss = log(sum_j exp(z_j)) - z_label; dz = (softmax(z) - onehot) * weight / sum.
 *  Shapes: labels i32[rows], each in 0..n-1.
 *  Error: dz 7 + |z - max z| / 2, at the label too; loss 2, where it is below 1e-5 as dz; below 1e-15 both may be 0. */
export function softmax_cross_entropy(
  rows: i32, n: i32, z: usize, ldz: i32, labels: usize, weights: usize, dz: usize, lddz: i32, out: usize,
  running: usize,
): void {
  softmax_rows(rows, n, z, ldz, labels, 0, 0, weights, dz, lddz, out, running);
}

/** Softmax and cross-entropy with target rows: row loss = sum_j t_j * (log(sum_k exp(z_k)) - z_j);
 *  dz_j = (softmax(z)_j * sum(t) - t_j) * weight / sum.
 *  Shapes: targets f32[rows, n], one-hot or probabilities; they need not sum to 1.
 *  Error: as softmax_cross_entropy; dz of targets other than one-hot relative to softmax(z) sum(t) + t. */
export function softmax_cross_entropy_dense(
  rows: i32, n: i32, z: usize, ldz: i32, targets: usize, ldt: i32, weights: usize, dz: usize, lddz: i32, out: usize,
  running: usize,
): void {
  softmax_rows(rows, n, z, ldz, 0, targets, ldt, weights, dz, lddz, out, running);
}
