// Layer and batch normalization. h = (x - mean) r with r = 1 / sqrt(variance + epsilon), y = h gamma + beta; mean and
// variance by rows (layer) or by columns (batch). Two passes, summed in f64, each row or column in one chain: the bits
// do not depend on how rows or columns are divided. h is kept for the way back; it may be x, and y may be h.
// Private buffers, h, y, dx, r and the batch's statistics, are written up to the next multiple of 4 columns.
// In units of 2^-24, measured against f64: |h - exact| <= |mean| r + 5 |h|.
import { store_sums } from "./map";
import { lane_mask, promote_high, row_dot, row_sum } from "./rows";

// @ts-ignore: decorator
@inline
function promote_low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** Four f64 lanes as f32. */
// @ts-ignore: decorator
@inline
function demote(low: v128, high: v128): v128 {
  return v128.shuffle<u64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** Sum of (x - mean)^2 over n elements: differences in f32, squares and sum in f64. */
// @ts-ignore: decorator
@inline
function row_spread(n: i32, x: usize, mean: v128): f64 {
  let a = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    let d = f32x4.sub(v128.load(x), mean);
    if (n < 4) d = v128.and(d, lane_mask(n));
    const low = promote_low(d);
    const high = promote_high(d);
    a = f64x2.add(a, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
    x += 16;
  }
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Normalizes each row.
 *  Shapes: x, h, y f32[rows, n]; gamma, beta f32[n]; r f32[rows], written.
 *  Source: Ba, Kiros & Hinton 2016, as torch.nn.LayerNorm. */
export function layer_norm(
  rows: i32, n: i32, x: usize, ldx: i32, gamma: usize, beta: usize, epsilon: f64, r: usize,
  h: usize, ldh: i32, y: usize, ldy: i32,
): void {
  for (; rows > 0; rows--) {
    const mean = f32x4.splat((row_sum(n, x) / (n as f64)) as f32);
    const scale = (1.0 / sqrt<f64>(row_spread(n, x, mean) / (n as f64) + epsilon)) as f32;
    store<f32>(r, scale);
    r += 4;
    let at: usize = 0;
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.mul(f32x4.sub(v128.load(x + at), mean), f32x4.splat(scale));
      v128.store(h + at, v);
      v128.store(y + at, f32x4.add(f32x4.mul(v, v128.load(gamma + at)), v128.load(beta + at)));
      at += 16;
    }
    x += (ldx as usize) << 2;
    h += (ldh as usize) << 2;
    y += (ldy as usize) << 2;
  }
}

/** dx = r (g - mean(g) - h mean(g h)) by rows, g = dy gamma; means in f64.
 *  Shapes: h, dy, dx f32[rows, n]; gamma f32[n]; r f32[rows]; dx may be dy.
 *  Error: <= 8 * 2^-24 * r (|g| + mean |g| + |h| mean |g h|). */
export function layer_norm_backward(
  rows: i32, n: i32, h: usize, ldh: i32, r: usize, gamma: usize, dy: usize, lddy: i32, dx: usize, lddx: i32,
): void {
  for (; rows > 0; rows--) {
    let at: usize = 0;
    for (let left = n; left > 0; left -= 4) {
      v128.store(dx + at, f32x4.mul(v128.load(dy + at), v128.load(gamma + at)));
      at += 16;
    }
    const mean = f32x4.splat((row_sum(n, dx) / (n as f64)) as f32);
    const slope = f32x4.splat((row_dot(n, dx, h) / (n as f64)) as f32);
    const scale = v128.load32_splat(r);
    r += 4;
    at = 0;
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.sub(f32x4.sub(v128.load(dx + at), mean), f32x4.mul(v128.load(h + at), slope));
      v128.store(dx + at, f32x4.mul(v, scale));
      at += 16;
    }
    h += (ldh as usize) << 2;
    dy += (lddy as usize) << 2;
    dx += (lddx as usize) << 2;
  }
}

/** Normalizes each column: in training by the batch's own statistics, which are written (the variance over rows - 1),
 *  else by those given.
 *  Shapes: x, h, y f32[rows, n]; gamma, beta, mean, variance f32[n]; r f32[n], written.
 *  Source: Ioffe & Szegedy 2015, as torch.nn.BatchNorm1d. */
export function batch_norm(
  rows: i32, n: i32, x: usize, ldx: i32, gamma: usize, beta: usize, epsilon: f64, mean: usize, variance: usize, r: usize,
  h: usize, ldh: i32, y: usize, ldy: i32, training: i32,
): void {
  const stepX = (ldx as usize) << 2;
  const count = f64x2.splat(rows as f64);
  const one = f64x2.splat(1);
  let at: usize = 0;
  for (let left = n; left > 0; left -= 4) {
    const start = x + at;
    const end = start + (rows as usize) * stepX;
    let low = f64x2.splat(0);
    let high = low;
    if (training) {
      for (let p = start; p != end; p += stepX) {
        const v = v128.load(p);
        low = f64x2.add(low, promote_low(v));
        high = f64x2.add(high, promote_high(v));
      }
      const center = demote(f64x2.div(low, count), f64x2.div(high, count));
      low = f64x2.splat(0);
      high = low;
      for (let p = start; p != end; p += stepX) {
        const d = f32x4.sub(v128.load(p), center);
        const a = promote_low(d);
        const b = promote_high(d);
        low = f64x2.add(low, f64x2.mul(a, a));
        high = f64x2.add(high, f64x2.mul(b, b));
      }
      const others = f64x2.sub(count, one);
      v128.store(mean + at, center);
      v128.store(variance + at, demote(f64x2.div(low, others), f64x2.div(high, others)));
      low = f64x2.div(low, count);
      high = f64x2.div(high, count);
    } else {
      low = promote_low(v128.load(variance + at));
      high = promote_high(v128.load(variance + at));
    }
    low = f64x2.div(one, f64x2.sqrt(f64x2.add(low, f64x2.splat(epsilon))));
    high = f64x2.div(one, f64x2.sqrt(f64x2.add(high, f64x2.splat(epsilon))));
    v128.store(r + at, demote(low, high));
    at += 16;
  }
  // Row by row: down the columns of rows of 2 KB, each line would be fetched anew.
  for (; rows > 0; rows--) {
    at = 0;
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.mul(f32x4.sub(v128.load(x + at), v128.load(mean + at)), v128.load(r + at));
      v128.store(h + at, v);
      v128.store(y + at, f32x4.add(f32x4.mul(v, v128.load(gamma + at)), v128.load(beta + at)));
      at += 16;
    }
    x += stepX;
    h += (ldh as usize) << 2;
    y += (ldy as usize) << 2;
  }
}

/** dgamma = column sums of dy h, dbeta = column sums of dy, each added to what is there when acc is 1 and left out
 *  where its address is 0; dx = gamma r dy, in training gamma r (dy - dbeta / rows - h dgamma / rows), left out where
 *  its address is 0. Sums in f64.
 *  Shapes: h, dy, dx f32[rows, n]; gamma, r, dgamma, dbeta f32[n]; dx may be dy.
 *  Error: dgamma 2 sum |dy h|, dbeta 2 sum |dy| (and one rounding of what was there);
 *  dx 8 gamma r (|dy| + mean |dy| + |h| mean |dy h|), times 2^-24. */
export function batch_norm_backward(
  rows: i32, n: i32, h: usize, ldh: i32, dy: usize, lddy: i32, gamma: usize, r: usize, dgamma: usize, dbeta: usize,
  acc: i32, dx: usize, lddx: i32, training: i32,
): void {
  const stepH = (ldh as usize) << 2;
  const stepDy = (lddy as usize) << 2;
  const inverse = f64x2.splat(training ? 1.0 / (rows as f64) : 0);
  // Two vectors at a time: down the columns of rows of 2 KB, each line is fetched anew. Where there is one, it goes twice.
  for (; n > 0; n -= 8) {
    const next: usize = n > 4 ? 16 : 0;
    const end = dy + (rows as usize) * stepDy;
    let low0 = f64x2.splat(0), high0 = low0, lowH0 = low0, highH0 = low0;
    let low1 = low0, high1 = low0, lowH1 = low0, highH1 = low0;
    let q = h;
    for (let p = dy; p != end; p += stepDy) {
      const v0 = v128.load(p), v1 = v128.load(p + next);
      const w0 = f32x4.mul(v0, v128.load(q)), w1 = f32x4.mul(v1, v128.load(q + next));
      low0 = f64x2.add(low0, promote_low(v0));
      high0 = f64x2.add(high0, promote_high(v0));
      lowH0 = f64x2.add(lowH0, promote_low(w0));
      highH0 = f64x2.add(highH0, promote_high(w0));
      low1 = f64x2.add(low1, promote_low(v1));
      high1 = f64x2.add(high1, promote_high(v1));
      lowH1 = f64x2.add(lowH1, promote_low(w1));
      highH1 = f64x2.add(highH1, promote_high(w1));
      q += stepH;
    }
    if (dgamma) {
      store_sums(dgamma, demote(lowH0, highH0), acc, n);
      store_sums(dgamma + 16, demote(lowH1, highH1), acc, n - 4);
      dgamma += 32;
    }
    if (dbeta) {
      store_sums(dbeta, demote(low0, high0), acc, n);
      store_sums(dbeta + 16, demote(low1, high1), acc, n - 4);
      dbeta += 32;
    }
    if (dx) {
      const mean0 = times(low0, high0, inverse), mean1 = times(low1, high1, inverse);
      const slope0 = times(lowH0, highH0, inverse), slope1 = times(lowH1, highH1, inverse);
      const scale0 = f32x4.mul(v128.load(gamma), v128.load(r));
      const scale1 = f32x4.mul(v128.load(gamma + next), v128.load(r + next));
      let to = dx;
      q = h;
      for (let p = dy; p != end; p += stepDy) {
        const v0 = f32x4.sub(f32x4.sub(v128.load(p), mean0), f32x4.mul(v128.load(q), slope0));
        const v1 = f32x4.sub(f32x4.sub(v128.load(p + next), mean1), f32x4.mul(v128.load(q + next), slope1));
        v128.store(to, f32x4.mul(v0, scale0));
        v128.store(to + next, f32x4.mul(v1, scale1));
        q += stepH;
        to += (lddx as usize) << 2;
      }
      dx += 32;
      gamma += 32;
      r += 32;
    }
    h += 32;
    dy += 32;
  }
}

/** Four f64 sums times a factor, as f32. */
// @ts-ignore: decorator
@inline
function times(low: v128, high: v128, factor: v128): v128 {
  return demote(f64x2.mul(low, factor), f64x2.mul(high, factor));
}

/** average <- (1 - momentum) average + momentum x; an element whose new value would not be finite stays.
 *  Shapes: average, x f32[n]. */
export function moving_average(n: i32, average: usize, x: usize, momentum: f32): void {
  const rest: f32 = <f32>1 - momentum;
  for (; n > 0; n--) {
    const value: f32 = rest * load<f32>(average) + momentum * load<f32>(x);
    if (abs<f32>(value) < Infinity) store<f32>(average, value);
    average += 4;
    x += 4;
  }
}
