// Elementary functions on four lanes; what is not inlined, the compiler finds too long to copy. Coefficients: scripts/polynomials.sollya.
// Constants stand in static memory: engines rebuild a v128.const in every iteration of a loop, a load is cheaper.
// pmin(x, bound) and pmax(x, bound) return x where x is NaN: so NaN in, NaN out.
import { madd } from "./simd";

/** Constant `index` of `table` in all lanes. */
// @ts-ignore: decorator
@inline
export function constant(table: usize, index: usize): v128 {
  return v128.load_splat<f32>(table + (index << 2));
}

// @ts-ignore: decorator
@inline
const BASIC: usize = memory.data<f32>([1.0, 0.5, -0.0], 16);

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return constant(BASIC, 0);
}

// @ts-ignore: decorator
@inline
export function half(): v128 {
  return constant(BASIC, 1);
}

/** The sign bit alone. */
// @ts-ignore: decorator
@inline
export function sign_bit(): v128 {
  return constant(BASIC, 2);
}

// 1/ln 2; 1.5 * 2^23, which rounds what is added to it to an integer; -ln 2 in two parts, the first of 9 bits, so
// that its products with whole numbers are exact; where exp overflows; where it underflows to 0; q in
// e^r = 1 + r + r^2 q(r).
// @ts-ignore: decorator
@inline
const EXP: usize = memory.data<f32>([
  1.44269504, 12582912.0, -0.693359375, 2.12194440e-4, 89.0, -104.0,
  0.499999911, 0.166665211, 4.16689664e-2, 8.36867746e-3, 1.37821969e-3,
], 16);

/** What exp_round adds. */
// @ts-ignore: decorator
@inline
export function exp_magic(): v128 {
  return constant(EXP, 1);
}

/** n + magic, n = round(x / ln 2): its low bits are the integer n. */
// @ts-ignore: decorator
@inline
export function exp_round(x: v128, magic: v128): v128 {
  return madd(x, constant(EXP, 0), magic);
}

/** r = x - n ln 2, |r| <= ln 2 / 2; `t` from exp_round. */
// @ts-ignore: decorator
@inline
export function exp_rest(x: v128, t: v128, magic: v128): v128 {
  const n = f32x4.sub(t, magic);
  return madd(n, constant(EXP, 3), madd(n, constant(EXP, 2), x));
}

/** q in e^r = 1 + r + r^2 q; `r2` is r^2. */
// @ts-ignore: decorator
@inline
export function exp_curve(r: v128, r2: v128): v128 {
  const low = madd(constant(EXP, 7), r, constant(EXP, 6));
  const high = madd(constant(EXP, 10), r2, madd(constant(EXP, 9), r, constant(EXP, 8)));
  return madd(high, r2, low);
}

/** 2^n for an integer n in -126..127, read from the low bits of `n`; `unit` is 1. */
// @ts-ignore: decorator
@inline
export function power_of_two(n: v128, unit: v128): v128 {
  return i32x4.add(i32x4.shl(n, 23), unit);
}

/** (1 + m) 2^n; `t` from exp_round holds n. */
// @ts-ignore: decorator
@inline
export function exp_scale(m: v128, t: v128): v128 {
  // 2^n may leave the range of normal numbers: two factors.
  const h = i32x4.shr_s(t, 1);
  const unit = one();
  return f32x4.mul(f32x4.mul(f32x4.add(m, unit), power_of_two(h, unit)), power_of_two(i32x4.sub(t, h), unit));
}

/** e^x. Overflows to Inf, underflows gradually to 0. */
// @ts-ignore: decorator
@inline
export function exp_ps(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, constant(EXP, 4)), constant(EXP, 5));
  const magic = exp_magic();
  const t = exp_round(x, magic);
  const r = exp_rest(x, t, magic);
  const r2 = f32x4.mul(r, r);
  return exp_scale(madd(exp_curve(r, r2), r2, r), t);
}

/** The same by a call: at most a sixth slower. */
export function exp_call(x: v128): v128 {
  return exp_ps(x);
}

// sqrt(1/2); smallest normal; 2^23; 23; Inf; ln 2 in two parts; sqrt(2) - 1; p in log(1 + f) = f - f^2/2 + f^3 p(f).
// @ts-ignore: decorator
@inline
const LOG: usize = memory.data<f32>([
  0.707106769, 1.17549435e-38, 8388608.0, 23.0, Infinity, 0.693359375, -2.12194440e-4, 0.414213568,
  0.333333790, -0.250008434, 0.199986681, -0.166208908, 0.142442435, -0.132199138, 0.125378415, -7.23589957e-2,
], 16);

/** log(1 + f) + k ln 2 for 1 + f in [sqrt(1/2), sqrt(2)], k a whole number. */
function log_rest(f: v128, k: v128): v128 {
  const f2 = f32x4.mul(f, f);
  const p9 = madd(constant(LOG, 15), f, constant(LOG, 14));
  const p7 = madd(constant(LOG, 13), f, constant(LOG, 12));
  const p5 = madd(constant(LOG, 11), f, constant(LOG, 10));
  const p3 = madd(constant(LOG, 9), f, constant(LOG, 8));
  let p = madd(madd(p9, f2, p7), f32x4.mul(f2, f2), madd(p5, f2, p3));
  p = madd(f32x4.mul(p, f), f2, f32x4.mul(k, constant(LOG, 6)));
  p = f32x4.sub(p, f32x4.mul(f2, half()));
  return madd(k, constant(LOG, 5), f32x4.add(f, p));
}

/** Natural logarithm. log(0) = -Inf, log(x < 0) = NaN. */
export function log_ps(x: v128): v128 {
  const tiny = f32x4.lt(x, constant(LOG, 1));
  const scaled = v128.bitselect(f32x4.mul(x, constant(LOG, 2)), x, tiny);
  const exponent = i32x4.shr_s(i32x4.sub(scaled, constant(LOG, 0)), 23);
  const mantissa = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const k = f32x4.sub(f32x4.convert_i32x4_s(exponent), v128.and(tiny, constant(LOG, 3)));
  let y = log_rest(f32x4.sub(mantissa, one()), k);
  const zero = f32x4.splat(0);
  const infinity = constant(LOG, 4);
  y = f32x4.sub(y, v128.and(f32x4.eq(x, zero), infinity));
  y = v128.or(y, f32x4.lt(x, zero));
  return v128.bitselect(y, x, f32x4.lt(x, infinity));
}

/** log(1 + u) for u in [0, 1].
 *  Error: <= 1.5 ulp. */
export function log1p_ps(u: v128): v128 {
  const big = f32x4.gt(u, constant(LOG, 7));
  const f = v128.bitselect(f32x4.mul(f32x4.sub(u, one()), half()), u, big);
  return log_rest(f, v128.and(big, one()));
}

// p in log(erfc(-b)) = b + b p(b), b <= 0.
// @ts-ignore: decorator
@inline
const ERF: usize = memory.data<f32>([
  0.128379181, -0.636618912, 0.102782339, 1.91677809e-2, -1.43656333e-4, -1.67071156e-3, -6.55692245e-4,
  -1.36190793e-4, -1.54122372e-5, -7.42749307e-7,
], 16);

/** p in log(erfc(-b)) = b + b p; below -22 it comes out too low. */
// @ts-ignore: decorator
@inline
export function erfc_curve(b: v128): v128 {
  const b2 = f32x4.mul(b, b);
  const b4 = f32x4.mul(b2, b2);
  const p9 = madd(constant(ERF, 9), b, constant(ERF, 8));
  const p7 = madd(constant(ERF, 7), b, constant(ERF, 6));
  const p5 = madd(constant(ERF, 5), b, constant(ERF, 4));
  const p3 = madd(constant(ERF, 3), b, constant(ERF, 2));
  const p1 = madd(constant(ERF, 1), b, constant(ERF, 0));
  return madd(madd(p9, b4, madd(p7, b2, p5)), b4, madd(p3, b2, p1));
}

// 4; 1/4; 1.5 * 2^23; p in sin(2 pi r) = r p(r^2), q in cos(2 pi r) = 1 + r^2 q(r^2), |r| <= 1/8.
// @ts-ignore: decorator
@inline
const CIRCLE: usize = memory.data<f32>([
  4.0, 0.25, 12582912.0, 6.28318548, -41.3417587, 81.6045990, -75.8360978,
  -19.7392082, 64.9391785, -85.4295044, 58.8153305,
], 16);

/** sin(2 pi (u + quarter / 4)); only r = u - round(4 u) / 4, which is exact, meets a polynomial. */
// @ts-ignore: decorator
@inline
function circle(u: v128, quarter: i32): v128 {
  const t = madd(u, constant(CIRCLE, 0), constant(CIRCLE, 2));
  const r = f32x4.sub(u, f32x4.mul(f32x4.sub(t, constant(CIRCLE, 2)), constant(CIRCLE, 1)));
  const r2 = f32x4.mul(r, r);
  let s = madd(constant(CIRCLE, 6), r2, constant(CIRCLE, 5));
  s = madd(s, r2, constant(CIRCLE, 4));
  s = f32x4.mul(madd(s, r2, constant(CIRCLE, 3)), r);
  let c = madd(constant(CIRCLE, 10), r2, constant(CIRCLE, 9));
  c = madd(c, r2, constant(CIRCLE, 8));
  c = madd(c, r2, constant(CIRCLE, 7));
  c = madd(c, r2, one());
  const q = i32x4.add(t, i32x4.splat(quarter));
  const odd = i32x4.shr_s(i32x4.shl(q, 31), 31);
  const sign = v128.and(i32x4.shl(q, 30), sign_bit());
  return v128.xor(v128.bitselect(c, s, odd), sign);
}

/** sin(2 pi u) for |u| <= 2^20.
 *  Error: <= 7e-8, <= 1.6 ulp for u in [0, 1). */
// @ts-ignore: decorator
@inline
export function sin_2pi_ps(u: v128): v128 {
  return circle(u, 0);
}

/** cos(2 pi u) for |u| <= 2^20.
 *  Error: <= 7e-8, <= 1.6 ulp for u in [0, 1). */
// @ts-ignore: decorator
@inline
export function cos_2pi_ps(u: v128): v128 {
  return circle(u, 1);
}
