// Activations and their gradients. Forward: y = f(x), y may be x. Backward: dx = dy f'(x), dx may be dy.
// Sources of what is no textbook function stand at its kernel.
import { map, map_backward } from "./map";
import { constant, erf_ps, exp_ps, expm1_ps, half, log1p_ps, one, sigmoid_ps, sign_bit, tanh_ps } from "./math";

// 15, 200, -200: bounds beyond which gelu's and silu's factors have reached their limits (they keep Inf * 0 away);
// -30: elu's limit; sqrt(1/2); -1/2; 1/sqrt(2 pi); selu's scale; its alpha times its scale.
// @ts-ignore: decorator
@inline
const TABLE: usize = memory.data<f32>([
  15.0, -15.0, 200.0, -200.0, -30.0, 0.707106781, -0.5, 0.398942280, 1.05070099, 1.75809934,
], 16);

// @ts-ignore: decorator
@inline
function zero(): v128 {
  return f32x4.splat(0);
}

class Relu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return f32x4.pmax(x, zero());
  }
}

class ReluBackward {
  // @ts-ignore: decorator
  @inline
  of(saved: v128, dy: v128, _p: v128): v128 {
    return v128.andnot(dy, f32x4.le(saved, zero()));
  }
}

class LeakyRelu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, slope: v128): v128 {
    return v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, zero()));
  }
}

class LeakyReluBackward {
  // @ts-ignore: decorator
  @inline
  of(saved: v128, dy: v128, slope: v128): v128 {
    return v128.bitselect(dy, f32x4.mul(dy, slope), f32x4.gt(saved, zero()));
  }
}

/** alpha (e^x - 1) for x <= 0, alpha 0 above. */
// @ts-ignore: decorator
@inline
function elu_negative(x: v128, alpha: v128): v128 {
  return f32x4.mul(expm1_ps(f32x4.pmax(f32x4.pmin(x, zero()), constant(TABLE, 4))), alpha);
}

class Elu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, alpha: v128): v128 {
    return f32x4.add(f32x4.pmax(x, zero()), elu_negative(x, alpha));
  }
}

class EluBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, alpha: v128): v128 {
    return f32x4.mul(dy, v128.bitselect(one(), f32x4.add(y, alpha), f32x4.gt(y, zero())));
  }
}

class Selu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    const positive = f32x4.mul(f32x4.pmax(x, zero()), constant(TABLE, 8));
    return f32x4.add(positive, elu_negative(x, constant(TABLE, 9)));
  }
}

class SeluBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, _p: v128): v128 {
    const negative = f32x4.add(y, constant(TABLE, 9));
    return f32x4.mul(dy, v128.bitselect(constant(TABLE, 8), negative, f32x4.gt(y, zero())));
  }
}

/** Distribution function of the standard normal. */
// @ts-ignore: decorator
@inline
function normal_cdf(x: v128): v128 {
  return f32x4.mul(f32x4.add(erf_ps(f32x4.mul(x, constant(TABLE, 5))), one()), half());
}

class Gelu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return f32x4.mul(f32x4.pmax(x, constant(TABLE, 1)), normal_cdf(x));
  }
}

class GeluBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128): v128 {
    x = f32x4.pmax(f32x4.pmin(x, constant(TABLE, 0)), constant(TABLE, 1));
    const density = f32x4.mul(exp_ps(f32x4.mul(f32x4.mul(x, x), constant(TABLE, 6))), constant(TABLE, 7));
    return f32x4.mul(dy, f32x4.add(normal_cdf(x), f32x4.mul(x, density)));
  }
}

class Silu {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return f32x4.mul(f32x4.pmax(x, constant(TABLE, 3)), sigmoid_ps(x));
  }
}

class SiluBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128): v128 {
    x = f32x4.pmax(f32x4.pmin(x, constant(TABLE, 2)), constant(TABLE, 3));
    const s = sigmoid_ps(x);
    const slope = f32x4.add(f32x4.mul(x, f32x4.sub(one(), s)), one());
    return f32x4.mul(dy, f32x4.mul(s, slope));
  }
}

class Softplus {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return f32x4.add(f32x4.pmax(x, zero()), log1p_ps(exp_ps(v128.or(x, sign_bit()))));
  }
}

class SoftplusBackward {
  // @ts-ignore: decorator
  @inline
  of(x: v128, dy: v128, _p: v128): v128 {
    return f32x4.mul(dy, sigmoid_ps(x));
  }
}

class Sigmoid {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return sigmoid_ps(x);
  }
}

class SigmoidBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, _p: v128): v128 {
    return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(one(), y)));
  }
}

class Tanh {
  // @ts-ignore: decorator
  @inline
  of(x: v128, _p: v128): v128 {
    return tanh_ps(x);
  }
}

class TanhBackward {
  // @ts-ignore: decorator
  @inline
  of(y: v128, dy: v128, _p: v128): v128 {
    // (1 - y)(1 + y), because 1 - y^2 cancels where |y| is near 1.
    return f32x4.mul(dy, f32x4.mul(f32x4.sub(one(), y), f32x4.add(one(), y)));
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

/** y = x where x > 0, else alpha (e^x - 1). */
export function elu(n: i32, x: usize, y: usize, alpha: f32): void {
  map<Elu>(n, x, y, alpha);
}

/** dx = dy where y > 0, else dy (y + alpha); alpha >= 0. */
export function elu_backward(n: i32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  map_backward<EluBackward>(n, y, dy, dx, alpha);
}

/** y = scale (x where x > 0, else alpha (e^x - 1)).
 *  Source: Klambauer et al. 2017. */
export function selu(n: i32, x: usize, y: usize): void {
  map<Selu>(n, x, y);
}

/** dx = dy scale where y > 0, else dy (y + scale alpha). */
export function selu_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  map_backward<SeluBackward>(n, y, dy, dx);
}

/** y = x (1 + erf(x / sqrt 2)) / 2.
 *  Source: Hendrycks & Gimpel 2016. */
export function gelu(n: i32, x: usize, y: usize): void {
  map<Gelu>(n, x, y);
}

/** dx = dy (cdf(x) + x density(x)) of the standard normal; saved: input. */
export function gelu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward<GeluBackward>(n, x, dy, dx);
}

/** y = x sigmoid(x). */
export function silu(n: i32, x: usize, y: usize): void {
  map<Silu>(n, x, y);
}

/** dx = dy s (1 + x (1 - s)), s = sigmoid(x); saved: input. */
export function silu_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward<SiluBackward>(n, x, dy, dx);
}

/** y = log(1 + e^x). */
export function softplus(n: i32, x: usize, y: usize): void {
  map<Softplus>(n, x, y);
}

/** dx = dy sigmoid(x); saved: input. */
export function softplus_backward(n: i32, x: usize, dy: usize, dx: usize): void {
  map_backward<SoftplusBackward>(n, x, dy, dx);
}

/** y = 1 / (1 + e^-x). */
export function sigmoid(n: i32, x: usize, y: usize): void {
  map<Sigmoid>(n, x, y);
}

/** dx = dy y (1 - y); saved: output. */
export function sigmoid_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  map_backward<SigmoidBackward>(n, y, dy, dx);
}

/** y = tanh x. */
export function tanh(n: i32, x: usize, y: usize): void {
  map<Tanh>(n, x, y);
}

/** dx = dy (1 - y^2); saved: output. */
export function tanh_backward(n: i32, y: usize, dy: usize, dx: usize): void {
  map_backward<TanhBackward>(n, y, dy, dx);
}
