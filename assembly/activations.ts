// Activations and their gradients over n elements. Forward: y = f(x), y may be x. Backward: dx = dy f'(x), dx may
// be dy. Forward, NaN gives NaN. Errors: by scripts/ulp.mjs, the worst of
// every 107th f32 in either build; of sigmoid and tanh the worst of all in the strict build.
import { ELU, exponential, GELU, SIGMOID, SILU, SOFTPLUS, TANH } from "./exponential";
import { map, map_backward } from "./map";

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
  of(saved: v128, dy: v128, _p: v128, _q: v128, _mask: v128): v128 {
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

/** dy scale where saved > 0, else dy bend, with saved added to bend in the bits of `mask`: leaky_relu, elu and selu. */
class BentBackward {
  // @ts-ignore: decorator
  @inline
  of(saved: v128, dy: v128, scale: v128, bend: v128, mask: v128): v128 {
    const slope = f32x4.add(v128.and(saved, mask), bend);
    return f32x4.mul(dy, v128.bitselect(scale, slope, f32x4.gt(saved, zero())));
  }
}

function bent_backward(n: i32, saved: usize, dy: usize, dx: usize, scale: f32, bend: f32, mask: i32): void {
  map_backward<BentBackward>(n, saved, dy, dx, scale, bend, mask);
}

/** dy (q - y) (y + p), q = 1: p = 0 for sigmoid, 1 for tanh, where 1 - y^2 would cancel near 1. */
class SigmoidBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, p: v128, q: v128, _mask: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(f32x4.sub(q, y), f32x4.add(y, p)));
  }
}

function sigmoid_tanh_backward(n: i32, y: usize, dy: usize, dx: usize, p: f32): void {
  map_backward<SigmoidBackward>(n, y, dy, dx, p, 1);
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
  bent_backward(n, saved, dy, dx, 1, slope, 0);
}

/** y = x where x > 0, else alpha (e^x - 1).
 *  Error: <= 0.95 ulp (alpha 1).
 *  Source: Clevert et al. 2016. */
export function elu(n: i32, x: usize, y: usize, alpha: f32): void {
  exponential(ELU, n, x, 0, y, 1, alpha);
}

/** dx = dy where y > 0, else dy (y + alpha); alpha >= 0. */
export function elu_backward(n: i32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  bent_backward(n, y, dy, dx, 1, alpha, -1);
}

/** y = scale (x where x > 0, else alpha (e^x - 1)).
 *  Source: Klambauer et al. 2017. */
export function selu(n: i32, x: usize, y: usize): void {
  exponential(ELU, n, x, 0, y, SELU_SCALE, SELU_BEND);
}

/** dx = dy scale where y > 0, else dy (y + scale alpha). */
export function selu_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  bent_backward(n, y, dy, dx, SELU_SCALE, SELU_BEND, -1);
}

/** y = x (1 + erf(x / sqrt 2)) / 2.
 *  Error: <= 10.3 ulp from -2 up; below |error| <= 1.5e-8 |x|.
 *  Source: Hendrycks & Gimpel 2016, the exact form. */
export function gelu(n: i32, x: usize, y: usize): void {
  exponential(GELU, n, x, 0, y, 0, 0);
}

/** dx = dy (cdf(x) + x density(x)) of the standard normal; saved: input.
 *  Error: of the factor <= 1e-7. */
export function gelu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  exponential(GELU, n, x, dy, dx, 0, 0);
}

/** y = x sigmoid(x).
 *  Error: <= 3.1 ulp from -87 up; below |error| <= 1.5e-45 |x|. */
export function silu(n: i32, x: usize, y: usize): void {
  exponential(SILU, n, x, 0, y, 0, 0);
}

/** dx = dy s (1 + x (1 - s)), s = sigmoid(x); saved: input. */
export function silu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  exponential(SILU, n, x, dy, dx, 0, 0);
}

/** y = log(1 + e^x).
 *  Error: <= 1.65 ulp. */
export function softplus(n: i32, x: usize, y: usize): void {
  exponential(SOFTPLUS, n, x, 0, y, 0, 0);
}

/** dx = dy sigmoid(x); saved: input. */
export function softplus_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  exponential(SOFTPLUS, n, x, dy, dx, 0, 0);
}

/** y = 1 / (1 + e^-x).
 *  Error: <= 1.97 ulp. */
export function sigmoid(n: i32, x: usize, y: usize): void {
  exponential(SIGMOID, n, x, 0, y, 0, 0);
}

/** dx = dy y (1 - y); saved: output. */
export function sigmoid_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  sigmoid_tanh_backward(n, y, dy, dx, 0);
}

/** y = tanh x.
 *  Error: <= 1.98 ulp. */
export function tanh(n: i32, x: usize, y: usize): void {
  exponential(TANH, n, x, 0, y, 0, 0);
}

/** dx = dy (1 - y^2); saved: output. */
export function tanh_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  sigmoid_tanh_backward(n, y, dy, dx, 1);
}
