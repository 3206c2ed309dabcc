// Optimizer steps over flat f32[n] blocks; p and the moments are updated in place, g is read and finite. Scalars are
// combined in f64 and then rounded. Moments are flushed: a denormal counts as 0 when loaded and is stored as 0, since
// arithmetic on denormals is slow. An element whose new p or moment would not be finite keeps its old values; the
// result is the number of such elements.
import { madd, store_tail } from "./simd";

/** x with denormals replaced by 0, by integer operations alone. */
// @ts-ignore: decorator
@inline
function flush(x: v128): v128 {
  return v128.andnot(x, i32x4.eq(v128.and(x, i32x4.splat(0x7f800000)), i32x4.splat(0)));
}

/** The same where x is not negative (and anything negative is replaced by 0, too). */
// @ts-ignore: decorator
@inline
function flush_positive(x: v128): v128 {
  return v128.and(x, i32x4.gt_s(x, i32x4.splat(0x007fffff)));
}

// @ts-ignore: decorator
@inline
function splat(x: f64): v128 {
  return f32x4.splat(x as f32);
}

/** The bits of the lanes below `left` of which x is not finite. */
// @ts-ignore: decorator
@inline
function overflown(x: v128, left: i32): i32 {
  const finite = i32x4.bitmask(f32x4.lt(f32x4.abs(x), f32x4.splat(Infinity)));
  return ~finite & (left >= 4 ? 15 : (1 << left) - 1);
}

/** The lanes of the bits. */
// @ts-ignore: decorator
@inline
function lanes_of(bits: i32): v128 {
  const bit = i32x4(1, 2, 4, 8);
  return i32x4.eq(v128.and(i32x4.splat(bits), bit), bit);
}

/** Stores `next` at `at`, in the lanes of `failed` `last`, and nothing past the lanes below `left`. */
function store_checked(at: usize, next: v128, last: v128, failed: i32, left: i32): void {
  const v = v128.bitselect(last, next, lanes_of(failed));
  if (left >= 4) v128.store(at, v);
  else store_tail(at, v, left);
}

/** SGD step, p <- p - lr * (g + wd * p).
 *  Shapes: p, g f32[n]; p written.
 *  Source: torch.optim.SGD. */
export function sgd_step(n: i32, p: usize, g: usize, lr: f64, weightDecay: f64): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  let failures = 0;
  for (let left = n; left > 0; left -= 4) {
    const value = v128.load(p);
    const next = madd(rate, madd(decay, value, v128.load(g)), value);
    const failed = overflown(next, left);
    failures += popcnt(failed);
    if (left >= 4 && !failed) v128.store(p, next);
    else store_checked(p, next, value, failed, left);
    p += 16;
    g += 16;
  }
  return failures;
}

/** SGD step with momentum, g' = g + wd * p, buf <- momentum * buf + g', p <- p - lr * (nesterov ? g' + momentum * buf : buf).
 *  Shapes: p, g, buf f32[n]; p, buf written; buf is zeros before the first step.
 *  Source: torch.optim.SGD with dampening 0; Sutskever et al. 2013. */
export function sgd_momentum_step(
  n: i32, p: usize, g: usize, buf: usize, lr: f64, momentum: f64, nesterov: i32, weightDecay: f64,
): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const mu = splat(momentum);
  const ofG = splat(nesterov ? 1 : 0);
  const ofBuf = splat(nesterov ? momentum : 1);
  let failures = 0;
  for (let left = n; left > 0; left -= 4) {
    const value = v128.load(p);
    const last = flush(v128.load(buf));
    const gradient = madd(decay, value, v128.load(g));
    const moment = flush(madd(mu, last, gradient));
    const next = madd(rate, madd(ofBuf, moment, f32x4.mul(ofG, gradient)), value);
    const failed = overflown(next, left);
    failures += popcnt(failed);
    if (left >= 4 && !failed) {
      v128.store(p, next);
      v128.store(buf, moment);
    } else {
      store_checked(p, next, value, failed, left);
      store_checked(buf, moment, last, failed, left);
    }
    p += 16;
    g += 16;
    buf += 16;
  }
  return failures;
}

/** RMSprop step, g' = g + wd * p, v <- alpha * v + (1 - alpha) g'^2, d = g' / (sqrt(v) + eps);
 *  p <- p - lr * d, with momentum buf <- momentum * buf + d and p <- p - lr * buf.
 *  Shapes: p, g, v, buf f32[n]; p, v, buf written; buf is 0 (no address) when momentum is 0.
 *  Source: torch.optim.RMSprop, not centered. */
export function rmsprop_step(
  n: i32, p: usize, g: usize, v: usize, buf: usize,
  lr: f64, alpha: f64, epsilon: f64, momentum: f64, weightDecay: f64,
): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const keep = splat(alpha);
  const take = splat(1 - alpha);
  const eps = splat(epsilon);
  const mu = splat(momentum);
  const hasBuf = buf != 0;
  let failures = 0;
  for (let left = n; left > 0; left -= 4) {
    const value = v128.load(p);
    const lastSquare = flush_positive(v128.load(v));
    const gradient = madd(decay, value, v128.load(g));
    const square = flush_positive(madd(keep, lastSquare, f32x4.mul(take, f32x4.mul(gradient, gradient))));
    const root = f32x4.add(f32x4.sqrt(square), eps);
    let change = f32x4.div(gradient, root);
    let lastMoment = change;
    if (hasBuf) {
      lastMoment = flush(v128.load(buf));
      change = flush(madd(mu, lastMoment, change));
    }
    const next = madd(rate, change, value);
    // An infinite square leaves p finite: its root joins the test.
    const failed = overflown(f32x4.add(f32x4.abs(next), root), left);
    failures += popcnt(failed);
    if (left >= 4 && !failed) {
      v128.store(p, next);
      v128.store(v, square);
      if (hasBuf) v128.store(buf, change);
    } else {
      store_checked(p, next, value, failed, left);
      store_checked(v, square, lastSquare, failed, left);
      if (hasBuf) store_checked(buf, change, lastMoment, failed, left);
    }
    p += 16;
    g += 16;
    v += 16;
    buf += 16;
  }
  return failures;
}

/** Adagrad step, g' = g + wd * p, sum <- sum + g'^2, p <- p - lr * g' / (sqrt(sum) + eps).
 *  Shapes: p, g, sum f32[n]; p, sum written.
 *  Source: Duchi et al. 2011, as torch.optim.Adagrad with lr_decay 0. */
export function adagrad_step(
  n: i32, p: usize, g: usize, sum: usize, lr: f64, epsilon: f64, weightDecay: f64,
): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const eps = splat(epsilon);
  let failures = 0;
  for (let left = n; left > 0; left -= 4) {
    const value = v128.load(p);
    const last = flush_positive(v128.load(sum));
    const gradient = madd(decay, value, v128.load(g));
    const square = flush_positive(madd(gradient, gradient, last));
    const root = f32x4.add(f32x4.sqrt(square), eps);
    const next = f32x4.add(value, f32x4.div(f32x4.mul(rate, gradient), root));
    const failed = overflown(f32x4.add(f32x4.abs(next), root), left);
    failures += popcnt(failed);
    if (left >= 4 && !failed) {
      v128.store(p, next);
      v128.store(sum, square);
    } else {
      store_checked(p, next, value, failed, left);
      store_checked(sum, square, last, failed, left);
    }
    p += 16;
    g += 16;
    sum += 16;
  }
  return failures;
}

/** Adam with either kind of decay: g' = g + l2 * p; p <- keep * p - lr * mHat / (sqrt(vHat) + eps). */
function adam(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  lr: f64, beta1: f64, beta2: f64, epsilon: f64, c1: f64, c2: f64, l2: f64, keep: f64,
): i32 {
  // lr c1 m / (sqrt(v) sqrt(c2) + eps), divided through by sqrt(c2).
  const rate = splat((-lr * c1) / sqrt(c2));
  const eps = splat(epsilon / sqrt(c2));
  const keepM = splat(beta1);
  const takeM = splat(1 - beta1);
  const keepV = splat(beta2);
  const takeV = splat(1 - beta2);
  const decay = splat(l2);
  const keepP = splat(keep);
  let failures = 0;
  for (let left = n; left > 0; left -= 4) {
    const value = v128.load(p);
    const lastM = flush(v128.load(m));
    const lastV = flush_positive(v128.load(v));
    const gradient = madd(decay, value, v128.load(g));
    const moment = flush(madd(keepM, lastM, f32x4.mul(takeM, gradient)));
    const square = flush_positive(madd(keepV, lastV, f32x4.mul(f32x4.mul(takeV, gradient), gradient)));
    const root = f32x4.add(f32x4.sqrt(square), eps);
    const next = madd(keepP, value, f32x4.div(f32x4.mul(rate, moment), root));
    // An infinite square leaves p finite: its root joins the test.
    const failed = overflown(f32x4.add(f32x4.abs(next), root), left);
    failures += popcnt(failed);
    if (left >= 4 && !failed) {
      v128.store(p, next);
      v128.store(m, moment);
      v128.store(v, square);
    } else {
      store_checked(p, next, value, failed, left);
      store_checked(m, moment, lastM, failed, left);
      store_checked(v, square, lastV, failed, left);
    }
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
  return failures;
}

/** Adam step, g' = g + wd * p, m <- beta1 m + (1 - beta1) g', v <- beta2 v + (1 - beta2) g'^2,
 *  p <- p - lr * c1 m / (sqrt(c2 v) + eps).
 *  Shapes: p, g, m, v f32[n]; p, m, v written.
 *  Units: c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t), t from 1.
 *  Source: Kingma & Ba 2015, Alg. 1; weight decay as torch.optim.Adam. */
export function adam_step(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  lr: f64, beta1: f64, beta2: f64, epsilon: f64, c1: f64, c2: f64, weightDecay: f64,
): i32 {
  return adam(n, p, g, m, v, lr, beta1, beta2, epsilon, c1, c2, weightDecay, 1);
}

/** AdamW step, p <- p - lr * wd * p, then Adam's step without decay in the gradient.
 *  Shapes: p, g, m, v f32[n]; p, m, v written.
 *  Units: c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t), t from 1.
 *  Source: Loshchilov & Hutter 2019, Alg. 2, decay scaled by lr as torch.optim.AdamW. */
export function adamw_step(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  lr: f64, beta1: f64, beta2: f64, epsilon: f64, c1: f64, c2: f64, weightDecay: f64,
): i32 {
  return adam(n, p, g, m, v, lr, beta1, beta2, epsilon, c1, c2, 0, 1 - lr * weightDecay);
}
