// Activations and their gradients over n elements. Forward: y = f(x), y may be x. Backward: dx = dy f'(x), dx may
// be dy. Forward, NaN gives NaN. Errors: by scripts/ulp.mjs, the worst of
// every 107th f32 in either build; of sigmoid and tanh the worst of all in the strict build.
import { map, map_backward, map_backward_compact, map_compact } from "./map";
import {
  constant, exp_ps, expm1_ps, half, log1p_ps, log_erfc_ps, one, sigmoid_negative_ps, sign_bit, tanh_ps,
} from "./math";
import { madd } from "./simd";

// -|x| where gelu's factor, silu's factor and elu have reached their limits (so that no Inf meets a 0); sqrt(1/2);
// -1/2; 1/sqrt(2 pi).
// @ts-ignore: decorator
@inline
const TABLE: usize = memory.data<f32>([-15.0, -200.0, -30.0, 0.707106781, -0.5, 0.398942280], 16);

// @ts-ignore: decorator
@inline
const SELU_SCALE: f32 = 1.05070099;
/** Scale times alpha. */
// @ts-ignore: decorator
@inline
const SELU_BEND: f32 = 1.75809934;

// @ts-ignore: decorator
@inline
function zero(): v128 {
  return f32x4.splat(0);
}

// Calls: at most a sixth slower than inlined, and a copy of exp is 200 bytes.
function exp_call(x: v128): v128 {
  return exp_ps(x);
}

function sigmoid_negative(b: v128): v128 {
  return sigmoid_negative_ps(b);
}

/** Distribution function of the standard normal at b in [-15, 0]. */
function normal_tail(b: v128): v128 {
  return f32x4.mul(exp_call(log_erfc_ps(f32x4.mul(b, constant(TABLE, 3)))), half());
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
function sigmoid_of(x: v128): v128 {
  const q = sigmoid_negative(v128.or(x, sign_bit()));
  return v128.bitselect(q, f32x4.sub(one(), q), f32x4.lt(x, zero()));
}

class Relu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.pmax(x, zero());
  }
}

class ReluBackward {
  // @ts-ignore: decorator
  @inline
  of(saved: v128, dy: v128, _p: v128, _q: v128): v128 {
    return v128.andnot(dy, f32x4.le(saved, zero()));
  }
}

class LeakyRelu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, slope: v128, _q: v128): v128 {
    return v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, zero()));
  }
}

class LeakyReluBackward {
  // @ts-ignore: decorator
  @inline
  of(saved: v128, dy: v128, slope: v128, _q: v128): v128 {
    return v128.bitselect(dy, f32x4.mul(dy, slope), f32x4.gt(saved, zero()));
  }
}

/** scale x for x > 0, else bend (e^x - 1): elu and selu. */
class Elu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, scale: v128, bend: v128): v128 {
    const negative = f32x4.mul(expm1_ps(f32x4.pmax(f32x4.pmin(x, zero()), constant(TABLE, 2))), bend);
    return madd(f32x4.pmax(x, zero()), scale, negative);
  }
}

class EluBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, scale: v128, bend: v128): v128 {
    return f32x4.mul(dy, v128.bitselect(scale, f32x4.add(y, bend), f32x4.gt(y, zero())));
  }
}

function elu_scaled(n: i32, x: usize, y: usize, scale: f32, bend: f32): void {
  map_compact<Elu>(n, x, y, scale, bend);
}

function elu_scaled_backward(n: i32, y: usize, dy: usize, dx: usize, scale: f32, bend: f32): void {
  map_backward<EluBackward>(n, y, dy, dx, scale, bend);
}

class Gelu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    // x cdf(x) = max(x, 0) - |x| cdf(-|x|): no cancellation on either side.
    const b = f32x4.pmax(v128.or(x, sign_bit()), constant(TABLE, 0));
    return madd(b, normal_tail(b), f32x4.pmax(x, zero()));
  }
}

class GeluBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128, _q: v128): v128 {
    const b = f32x4.pmax(v128.or(x, sign_bit()), constant(TABLE, 0));
    const density = f32x4.mul(exp_call(f32x4.mul(f32x4.mul(b, b), constant(TABLE, 4))), constant(TABLE, 5));
    // cdf(x) + x density(x), which for x > 0 is 1 less the same at -x.
    const f = madd(b, density, normal_tail(b));
    return f32x4.mul(dy, v128.bitselect(f32x4.sub(one(), f), f, f32x4.gt(x, zero())));
  }
}

class Silu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    // As gelu: max(x, 0) - |x| sigmoid(-|x|).
    const b = f32x4.pmax(v128.or(x, sign_bit()), constant(TABLE, 1));
    return madd(b, sigmoid_negative(b), f32x4.pmax(x, zero()));
  }
}

class SiluBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128, _q: v128): v128 {
    const b = f32x4.pmax(v128.or(x, sign_bit()), constant(TABLE, 1));
    const q = sigmoid_negative(b);
    // s (1 + x (1 - s)), s = sigmoid(x), which for x > 0 is 1 less the same at -x.
    const f = f32x4.mul(q, madd(b, f32x4.sub(one(), q), one()));
    return f32x4.mul(dy, v128.bitselect(f32x4.sub(one(), f), f, f32x4.gt(x, zero())));
  }
}

class Softplus {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.add(f32x4.pmax(x, zero()), log1p_ps(exp_call(v128.or(x, sign_bit()))));
  }
}

class SoftplusBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128, _q: v128): v128 {
    return f32x4.mul(dy, sigmoid_of(x));
  }
}

class Sigmoid {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return sigmoid_of(x);
  }
}

/** dy (1 - y) (y + p): p = 0 for sigmoid, 1 for tanh, where 1 - y^2 would cancel near 1. */
class SigmoidBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, p: v128, _q: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(f32x4.sub(one(), y), f32x4.add(y, p)));
  }
}

function sigmoid_tanh_backward(n: i32, y: usize, dy: usize, dx: usize, p: f32): void {
  map_backward<SigmoidBackward>(n, y, dy, dx, p);
}

class Tanh {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return tanh_ps(x);
  }
}

/** y = max(x, 0). */
export function relu(n: i32, x: usize, y: usize): void {
  map<Relu>(n, x, y);
}

/** dx = dy where x > 0, else 0; saved: input or output. */
export function relu_backward(n: i32, saved: usize, dy: usize, dx: usize): void {
  map_backward<ReluBackward>(n, saved, dy, dx);
}

/** y = x where x > 0, else slope x. */
export function leaky_relu(n: i32, x: usize, y: usize, slope: f32): void {
  map<LeakyRelu>(n, x, y, slope);
}

/** dx = dy where x > 0, else slope dy; saved: input, or output when slope >= 0. */
export function leaky_relu_backward(n: i32, saved: usize, dy: usize, dx: usize, slope: f32): void {
  map_backward<LeakyReluBackward>(n, saved, dy, dx, slope);
}

/** y = x where x > 0, else alpha (e^x - 1).
 *  Error: <= 0.95 ulp (alpha 1).
 *  Source: Clevert et al. 2016. */
export function elu(n: i32, x: usize, y: usize, alpha: f32): void {
  elu_scaled(n, x, y, 1, alpha);
}

/** dx = dy where y > 0, else dy (y + alpha); alpha >= 0. */
export function elu_backward(n: i32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  elu_scaled_backward(n, y, dy, dx, 1, alpha);
}

/** y = scale (x where x > 0, else alpha (e^x - 1)).
 *  Source: Klambauer et al. 2017. */
export function selu(n: i32, x: usize, y: usize): void {
  elu_scaled(n, x, y, SELU_SCALE, SELU_BEND);
}

/** dx = dy scale where y > 0, else dy (y + scale alpha). */
export function selu_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  elu_scaled_backward(n, y, dy, dx, SELU_SCALE, SELU_BEND);
}

/** y = x (1 + erf(x / sqrt 2)) / 2.
 *  Error: <= 12.4 ulp from -2 up; below |error| <= 1.5e-8 |x|.
 *  Source: Hendrycks & Gimpel 2016, the exact form. */
export function gelu(n: i32, x: usize, y: usize): void {
  map_compact<Gelu>(n, x, y);
}

/** dx = dy (cdf(x) + x density(x)) of the standard normal; saved: input.
 *  Error: of the factor <= 1e-7. */
export function gelu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward_compact<GeluBackward>(n, x, dy, dx);
}

/** y = x sigmoid(x).
 *  Error: <= 3.1 ulp from -87 up; below |error| <= 1.5e-45 |x|. */
export function silu(n: i32, x: usize, y: usize): void {
  map_compact<Silu>(n, x, y);
}

/** dx = dy s (1 + x (1 - s)), s = sigmoid(x); saved: input. */
export function silu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward_compact<SiluBackward>(n, x, dy, dx);
}

/** y = log(1 + e^x).
 *  Error: <= 1.65 ulp. */
export function softplus(n: i32, x: usize, y: usize): void {
  map_compact<Softplus>(n, x, y);
}

/** dx = dy sigmoid(x); saved: input. */
export function softplus_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward_compact<SoftplusBackward>(n, x, dy, dx);
}

/** y = 1 / (1 + e^-x).
 *  Error: <= 1.97 ulp. */
export function sigmoid(n: i32, x: usize, y: usize): void {
  map_compact<Sigmoid>(n, x, y);
}

/** dx = dy y (1 - y); saved: output. */
export function sigmoid_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  sigmoid_tanh_backward(n, y, dy, dx, 0);
}

/** y = tanh x.
 *  Error: <= 1.98 ulp. */
export function tanh(n: i32, x: usize, y: usize): void {
  map_compact<Tanh>(n, x, y);
}

/** dx = dy (1 - y^2); saved: output. */
export function tanh_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  sigmoid_tanh_backward(n, y, dy, dx, 1);
}
