// The functions that are made of e^-|x|, and their gradients. Not among the module's exports.
import { store_few } from "./map";
import {
  constant, erfc_curve, exp_call, exp_curve, exp_magic, exp_rest, exp_round, exp_scale, half, log1p_ps, one, power_of_two, sign_bit,
} from "./math";
import { madd } from "./simd";

// -1/2; 1/sqrt(2 pi); where e^z is 0.
// @ts-ignore: decorator
@inline
const TABLE: usize = memory.data<f32>([-0.5, 0.398942280, -105.0], 16);

// What is made of e^z; the first three need e^z - 1.
// @ts-ignore: decorator
@inline
export const ELU = 0;
// @ts-ignore: decorator
@inline
export const TANH = 1;
// @ts-ignore: decorator
@inline
export const ERF = 2;
// @ts-ignore: decorator
@inline
export const GELU = 3;
// @ts-ignore: decorator
@inline
export const SIGMOID = 4;
// @ts-ignore: decorator
@inline
export const SILU = 5;
// @ts-ignore: decorator
@inline
export const SOFTPLUS = 6;

// Where -|x| has reached each function's limit, and the factor that it enters with.
// @ts-ignore: decorator
@inline
const LIMITS: usize = memory.data<f32>([-30.0, -20.0, -4.5, -15.0, -104.0, -104.0, -104.0], 16);
// @ts-ignore: decorator
@inline
const FACTORS: usize = memory.data<f32>([1.0, 2.0, 1.0, 0.707106781, 1.0, 1.0, 1.0], 16);

/** y = f(x), or y = dy f'(x) with dy, for the functions that are made of e^-|x|: one loop, as they have more in common
 *  than not and a branch that goes one way costs next to nothing. `scale` and `bend` are elu's. */
export function exponential(kind: i32, n: i32, x: usize, dy: usize, y: usize, scale: f32, bend: f32): void {
  const limit = constant(LIMITS, kind);
  const factor = constant(FACTORS, kind);
  const step = dy - x;
  const zero = f32x4.splat(0);
  for (; n > 0; n -= 4) {
    const v = v128.load(x);
    const b = f32x4.pmax(v128.or(v, sign_bit()), limit);
    const c = f32x4.mul(b, factor);
    let z = c;
    let low = zero;
    if ((kind | 1) == GELU) {
      // z = log(erfc(-c)), and what the sum lost in rounding.
      const product = f32x4.mul(erfc_curve(c), c);
      z = f32x4.add(c, product);
      low = f32x4.sub(product, f32x4.sub(z, c));
      z = f32x4.pmax(z, constant(TABLE, 2));
    }
    const magic = exp_magic();
    const t = exp_round(z, magic);
    const r = exp_rest(z, t, magic);
    const r2 = f32x4.mul(r, r);
    const m = f32x4.add(r, madd(exp_curve(r, r2), r2, low));
    let f: v128;
    if (kind <= ERF) {
      // e^z = s (1 + m) without rounding it: 1 - e^z is small where x is.
      const unit = one();
      const s = power_of_two(t, unit);
      const p = f32x4.mul(m, s);
      f = f32x4.add(f32x4.sub(s, unit), p);
      if (kind == ELU) {
        f = v128.bitselect(f32x4.mul(v, f32x4.splat(scale)), f32x4.mul(f, f32x4.splat(bend)), f32x4.gt(v, zero));
      } else {
        // tanh |x| = (1 - e^z) / (1 + e^z).
        if (kind == TANH) f = f32x4.div(f, f32x4.add(f32x4.add(s, unit), p));
        f = v128.bitselect(v, f, sign_bit());
      }
    } else {
      const e = exp_scale(m, t);
      if (kind == GELU) {
        f = f32x4.mul(e, half());
      } else {
        // sigmoid(b) = e / (1 + e). q c / d takes back what 1 + e lost in rounding, c; d is near 1 where it matters.
        const unit = one();
        const d = f32x4.add(e, unit);
        f = f32x4.div(e, d);
        f = madd(f, f32x4.sub(f32x4.sub(d, unit), e), f);
      }
      if (!dy && kind != SIGMOID) {
        // x f(x) = max(x, 0) - |x| f(-|x|): no cancellation on either side.
        f = kind == SOFTPLUS ? log1p_ps(e) : f32x4.mul(b, f);
        f = f32x4.add(f, f32x4.pmax(v, zero));
      } else {
        // At -|x|; for x > 0 it is 1 less the same at -x.
        if (kind == GELU) {
          const density = f32x4.mul(exp_call(f32x4.mul(f32x4.mul(b, b), constant(TABLE, 0))), constant(TABLE, 1));
          f = madd(b, density, f);
        }
        if (kind == SILU) f = f32x4.mul(f, madd(b, f32x4.sub(one(), f), one()));
        f = v128.bitselect(f32x4.sub(one(), f), f, f32x4.gt(v, zero));
        if (dy) f = f32x4.mul(f, v128.load(x + step));
      }
    }
    if (n < 4) {
      store_few(y, f, n);
      return;
    }
    v128.store(y, f);
    x += 16;
    y += 16;
  }
}
