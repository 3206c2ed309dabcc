// Optimizer steps over flat f32[n] blocks; p and the moments are updated in place, g is read and finite. Scalars are
// combined in f64 and then rounded. Moments are flushed: a denormal is stored as 0, since arithmetic on denormals is
// slow. Where a step shrinks what it loads, it needs not flush that too: moments from elsewhere hold denormals once.
// An element whose new p or moment would not be finite keeps its old values; the result is the number of such elements.
//
// Each kernel's inner loop stores whole vectors and is left at the first vector that is short or not finite; this
// vector is then stored by lanes. Reads may run past the end. The loops test at their end: up to Node 22, V8 sinks
// the constants into a loop that tests at its head.
//
// Errors are those of one step from given p, g and moments without weight decay, where nothing cancels, relative, in
// units of 2^-24, measured against f64; p has one more rounding.
import { store_few } from "./map";
import { madd } from "./simd";

// The exponent's bits; the largest denormal.
// @ts-ignore: decorator
@inline
const MASKS: usize = memory.data<i32>([0x7f800000, 0x007fffff], 16);

// @ts-ignore: decorator
@inline
function exponents(): v128 {
  return v128.load_splat<u32>(MASKS);
}

// @ts-ignore: decorator
@inline
function largest_denormal(): v128 {
  return v128.load_splat<u32>(MASKS, 4);
}

/** x with denormals replaced by 0, by integer operations alone. */
// @ts-ignore: decorator
@inline
function flush(x: v128, mask: v128 = exponents()): v128 {
  return v128.andnot(x, i32x4.eq(v128.and(x, mask), i32x4.splat(0)));
}

/** The same where x is not negative (and anything negative is replaced by 0, too). */
// @ts-ignore: decorator
@inline
function flush_positive(x: v128, bound: v128): v128 {
  return v128.and(x, i32x4.gt_s(x, bound));
}

// @ts-ignore: decorator
@inline
function splat(x: f64): v128 {
  return f32x4.splat(x as f32);
}

/** The lanes of x that are finite, as bits. */
// @ts-ignore: decorator
@inline
function finite_bits(x: v128): i32 {
  const difference = f32x4.sub(x, x);
  return i32x4.bitmask(f32x4.eq(difference, difference));
}

/** Whether a vector cannot be stored whole: a lane is not finite, or byte i is past the last whole vector. */
// @ts-ignore: decorator
@inline
function is_partial(finite: i32, i: i32, last: i32): bool {
  return ((finite - 15) | (last - i)) < 0;
}

/** Stores at `at` those lanes of x, among the first `left` bytes, whose bit is set in `finite`; the others stay. */
function store_finite(at: usize, x: v128, finite: i32, left: i32): void {
  const bit = i32x4(1, 2, 4, 8);
  const mask = i32x4.eq(v128.and(i32x4.splat(finite), bit), bit);
  x = v128.bitselect(x, flush(v128.load(at)), mask);
  if (left >= 16) v128.store(at, x);
  else store_few(at, x, left >> 2);
}

/** How many lanes among the first `left` bytes are missing in `finite`. */
function count_missing(finite: i32, left: i32): i32 {
  return popcnt(~finite & (left >= 16 ? 15 : (1 << (left >> 2)) - 1));
}

/** SGD step, p <- p - lr * (g + wd * p).
 *  Shapes: p, g f32[n]; p written.
 *  Source: torch.optim.SGD. */
export function sgd_step(n: i32, p: usize, g: usize, lr: f64, weightDecay: f64): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const end = n << 2;
  let failures = 0;
  for (let i = 0; i < end; i += 16) {
    let next: v128, finite: i32;
    do {
      const value = v128.load(p + i);
      next = madd(rate, madd(decay, value, v128.load(g + i)), value);
      finite = finite_bits(next);
      if (is_partial(finite, i, end - 16)) break;
      v128.store(p + i, next);
      i += 16;
    } while (i < end);
    if (i >= end) break;
    failures += count_missing(finite, end - i);
    store_finite(p + i, next, finite, end - i);
  }
  return failures;
}

/** SGD step with momentum, g' = g + wd * p, buf <- momentum * buf + g', p <- p - lr * buf;
 *  nesterov: p <- p - lr * (g' + momentum * buf).
 *  Shapes: p, g, buf f32[n]; p, buf written; buf is zeros before the first step.
 *  Error: buf 2.4, change of p 4.3.
 *  Source: torch.optim.SGD with dampening 0; Sutskever et al. 2013. */
export function sgd_momentum_step(
  n: i32, p: usize, g: usize, buf: usize, lr: f64, momentum: f64, nesterov: i32, weightDecay: f64,
): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const mu = splat(momentum);
  const ofGradient = splat(nesterov ? 1 : 0);
  const ofMoment = splat(nesterov ? momentum : 1);
  const end = n << 2;
  let failures = 0;
  for (let i = 0; i < end; i += 16) {
    let next: v128, moment: v128, finite: i32;
    do {
      const value = v128.load(p + i);
      const gradient = madd(decay, value, v128.load(g + i));
      moment = flush(madd(mu, v128.load(buf + i), gradient));
      next = madd(rate, madd(ofMoment, moment, f32x4.mul(ofGradient, gradient)), value);
      finite = finite_bits(next);
      if (is_partial(finite, i, end - 16)) break;
      v128.store(p + i, next);
      v128.store(buf + i, moment);
      i += 16;
    } while (i < end);
    if (i >= end) break;
    failures += count_missing(finite, end - i);
    store_finite(p + i, next, finite, end - i);
    store_finite(buf + i, moment, finite, end - i);
  }
  return failures;
}

/** RMSprop's step and, with both factors of the square 1, Adagrad's; without momentum where buf is 0. */
function adaptive(
  n: i32, p: usize, g: usize, v: usize, buf: usize,
  lr: f64, keepSquare: f64, takeSquare: f64, epsilon: f64, momentum: f64, weightDecay: f64,
): i32 {
  const rate = splat(-lr);
  const decay = splat(weightDecay);
  const keep = splat(keepSquare);
  const take = splat(takeSquare);
  const eps = splat(epsilon);
  const mu = splat(momentum);
  const end = n << 2;
  let failures = 0;
  for (let i = 0; i < end; i += 16) {
    let next: v128, square: v128, moment: v128, finite: i32;
    do {
      const value = v128.load(p + i);
      const gradient = madd(decay, value, v128.load(g + i));
      const term = f32x4.mul(f32x4.mul(take, gradient), gradient);
      const tiny = largest_denormal();
      square = flush_positive(madd(keep, flush_positive(v128.load(v + i), tiny), term), tiny);
      const root = f32x4.add(f32x4.sqrt(square), eps);
      moment = f32x4.div(gradient, root);
      if (buf) moment = flush(madd(mu, flush(v128.load(buf + i)), moment));
      next = madd(rate, moment, value);
      // An infinite square leaves p finite: its root joins the test.
      finite = finite_bits(f32x4.add(next, root));
      if (is_partial(finite, i, end - 16)) break;
      v128.store(p + i, next);
      v128.store(v + i, square);
      if (buf) v128.store(buf + i, moment);
      i += 16;
    } while (i < end);
    if (i >= end) break;
    failures += count_missing(finite, end - i);
    store_finite(p + i, next, finite, end - i);
    store_finite(v + i, square, finite, end - i);
    if (buf) store_finite(buf + i, moment, finite, end - i);
  }
  return failures;
}

/** RMSprop step, g' = g + wd * p, v <- alpha * v + (1 - alpha) g'^2, d = g' / (sqrt(v) + eps);
 *  p <- p - lr * d, with momentum buf <- momentum * buf + d and p <- p - lr * buf.
 *  Shapes: p, g, v, buf f32[n]; p, v, buf written; buf is 0 (no address) when momentum is 0.
 *  Error: v 3.2, buf 3.9, change of p 5.4.
 *  Source: torch.optim.RMSprop, not centered. */
export function rmsprop_step(
  n: i32, p: usize, g: usize, v: usize, buf: usize,
  lr: f64, alpha: f64, epsilon: f64, momentum: f64, weightDecay: f64,
): i32 {
  return adaptive(n, p, g, v, buf, lr, alpha, 1 - alpha, epsilon, momentum, weightDecay);
}

/** Adagrad step, g' = g + wd * p, sum <- sum + g'^2, p <- p - lr * g' / (sqrt(sum) + eps).
 *  Shapes: p, g, sum f32[n]; p, sum written.
 *  Error: sum 2, change of p 4.7.
 *  Source: Duchi et al. 2011, as torch.optim.Adagrad with lr_decay 0. */
export function adagrad_step(
  n: i32, p: usize, g: usize, sum: usize, lr: f64, epsilon: f64, weightDecay: f64,
): i32 {
  return adaptive(n, p, g, sum, 0, lr, 1, 1, epsilon, 0, weightDecay);
}

// @ts-ignore: decorator
@inline
function adam_moment(m: v128, gradient: v128, keep: v128, take: v128, mask: v128): v128 {
  return flush(madd(keep, m, f32x4.mul(take, gradient)), mask);
}

// @ts-ignore: decorator
@inline
function adam_square(v: v128, gradient: v128, keep: v128, take: v128, tiny: v128): v128 {
  return flush_positive(madd(keep, v, f32x4.mul(f32x4.mul(take, gradient), gradient)), tiny);
}

/** Adam's fast loop, two vectors under one test, up to the pair that is short or not finite; gives its address. What it
 *  leaves is computed again: results that lived on past the loop would be spilled inside it. Inlined with and without
 *  decay, whose factors would be loaded anew in every iteration. Units: dg, dm, dv, bytes from p to g, m, v. */
// @ts-ignore: decorator
@inline
function adam_pairs(
  decays: bool, p: usize, last: usize, dg: usize, dm: usize, dv: usize, rate: v128, eps: v128,
  keepM: v128, takeM: v128, keepV: v128, takeV: v128, decay: v128, shrink: v128,
): usize {
  if (p <= last) do {
    let p0 = v128.load(p);
    let p1 = v128.load(p, 16);
    let g0 = v128.load(p + dg);
    let g1 = v128.load(p + dg, 16);
    if (decays) {
      g0 = madd(decay, p0, g0);
      g1 = madd(decay, p1, g1);
      p0 = f32x4.mul(shrink, p0);
      p1 = f32x4.mul(shrink, p1);
    }
    const tiny = largest_denormal();
    const v0 = adam_square(v128.load(p + dv), g0, keepV, takeV, tiny);
    const v1 = adam_square(v128.load(p + dv, 16), g1, keepV, takeV, tiny);
    const root0 = f32x4.add(f32x4.sqrt(v0), eps);
    const root1 = f32x4.add(f32x4.sqrt(v1), eps);
    const mask = exponents();
    const m0 = adam_moment(v128.load(p + dm), g0, keepM, takeM, mask);
    const m1 = adam_moment(v128.load(p + dm, 16), g1, keepM, takeM, mask);
    p0 = f32x4.add(p0, f32x4.div(f32x4.mul(rate, m0), root0));
    p1 = f32x4.add(p1, f32x4.div(f32x4.mul(rate, m1), root1));
    // An infinite square leaves p finite: it joins the test.
    if (finite_bits(f32x4.add(f32x4.add(f32x4.add(v0, v1), p0), p1)) != 15) break;
    v128.store(p, p0);
    v128.store(p, p1, 16);
    v128.store(p + dm, m0);
    v128.store(p + dm, m1, 16);
    v128.store(p + dv, v0);
    v128.store(p + dv, v1, 16);
    p += 32;
  } while (p <= last);
  return p;
}

/** Adam with either kind of decay, g' = g + coupled * p and p <- decoupled * p first. */
function adam(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  lr: f64, beta1: f64, beta2: f64, epsilon: f64, c1: f64, c2: f64, coupled: f64, decoupled: f64,
): i32 {
  // lr c1 m / (sqrt(v) sqrt(c2) + eps), divided through by sqrt(c2).
  const rate = splat((-lr * c1) / sqrt(c2));
  const eps = splat(epsilon / sqrt(c2));
  const keepM = splat(beta1);
  const takeM = splat(1 - beta1);
  const keepV = splat(beta2);
  const takeV = splat(1 - beta2);
  const decay = splat(coupled);
  const shrink = splat(decoupled);
  const decays = coupled != 0 || decoupled != 1;
  const dg = g - p;
  const dm = m - p;
  const dv = v - p;
  const end = p + (<usize>n << 2);
  let failures = 0;
  for (; p < end; p += 16) {
    p = decays
      ? adam_pairs(true, p, end - 32, dg, dm, dv, rate, eps, keepM, takeM, keepV, takeV, decay, shrink)
      : adam_pairs(false, p, end - 32, dg, dm, dv, rate, eps, keepM, takeM, keepV, takeV, decay, shrink);
    if (p >= end) break;
    const value = v128.load(p);
    const gradient = madd(decay, value, v128.load(p + dg));
    const moment = adam_moment(v128.load(p + dm), gradient, keepM, takeM, exponents());
    const square = adam_square(v128.load(p + dv), gradient, keepV, takeV, largest_denormal());
    const root = f32x4.add(f32x4.sqrt(square), eps);
    const next = f32x4.add(f32x4.mul(shrink, value), f32x4.div(f32x4.mul(rate, moment), root));
    const finite = finite_bits(f32x4.add(next, root));
    const left = end - p;
    failures += count_missing(finite, left);
    store_finite(p, next, finite, left);
    store_finite(p + dm, moment, finite, left);
    store_finite(p + dv, square, finite, left);
  }
  return failures;
}

/** Adam step, g' = g + wd * p, m <- beta1 m + (1 - beta1) g', v <- beta2 v + (1 - beta2) g'^2,
 *  p <- p - lr * c1 m / (sqrt(c2 v) + eps).
 *  Shapes: p, g, m, v f32[n]; p, m, v written.
 *  Units: c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t), t from 1.
 *  Error: m 2.4, v 3.4, change of p 4.9.
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
 *  Error: as adam_step.
 *  Source: Loshchilov & Hutter 2019, Alg. 2, decay scaled by lr as torch.optim.AdamW. */
export function adamw_step(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  lr: f64, beta1: f64, beta2: f64, epsilon: f64, c1: f64, c2: f64, weightDecay: f64,
): i32 {
  return adam(n, p, g, m, v, lr, beta1, beta2, epsilon, c1, c2, 0, 1 - lr * weightDecay);
}
