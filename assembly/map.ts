// The loops of all elementwise kernels. What is done to a vector is a class F with one inlined method `of`; F is
// never instantiated, it only names the method. `map` and `map_backward` are the quickest and hold F three times;
// the compact ones hold it once and are up to a quarter slower.
import { load_tail, store_tail } from "./simd";

/** Up to 4 of the `left` > 0 elements at `x`, the other lanes 0. */
function load_some(x: usize, left: i32): v128 {
  return left >= 4 ? v128.load(x) : load_tail(x, left);
}

/** Stores up to 4 lanes, no more than `left`. */
function store_some(y: usize, v: v128, left: i32): void {
  if (left >= 4) v128.store(y, v);
  else store_tail(y, v, left);
}

/** y = F(x; p) over n elements. */
// @ts-ignore: decorator
@inline
export function map<F>(n: i32, x: usize, y: usize, p: f32 = 0): void {
  const f = changetype<F>(0);
  const parameter = f32x4.splat(p);
  for (; n >= 8; n -= 8) {
    const a = f.of(v128.load(x), parameter);
    const b = f.of(v128.load(x, 16), parameter);
    v128.store(y, a);
    v128.store(y, b, 16);
    x += 32;
    y += 32;
  }
  map_compact<F>(n, x, y, p);
}

// @ts-ignore: decorator
@inline
export function map_compact<F>(n: i32, x: usize, y: usize, p: f32 = 0): void {
  const f = changetype<F>(0);
  const parameter = f32x4.splat(p);
  for (; n > 0; n -= 4) {
    store_some(y, f.of(load_some(x, n), parameter), n);
    x += 16;
    y += 16;
  }
}

/** dx = F(saved, dy; p) over n elements. */
// @ts-ignore: decorator
@inline
export function map_backward<F>(n: i32, saved: usize, dy: usize, dx: usize, p: f32 = 0): void {
  const f = changetype<F>(0);
  const parameter = f32x4.splat(p);
  for (; n >= 8; n -= 8) {
    const a = f.of(v128.load(saved), v128.load(dy), parameter);
    const b = f.of(v128.load(saved, 16), v128.load(dy, 16), parameter);
    v128.store(dx, a);
    v128.store(dx, b, 16);
    saved += 32;
    dy += 32;
    dx += 32;
  }
  map_backward_compact<F>(n, saved, dy, dx, p);
}

// @ts-ignore: decorator
@inline
export function map_backward_compact<F>(n: i32, saved: usize, dy: usize, dx: usize, p: f32 = 0): void {
  const f = changetype<F>(0);
  const parameter = f32x4.splat(p);
  for (; n > 0; n -= 4) {
    store_some(dx, f.of(load_some(saved, n), load_some(dy, n), parameter), n);
    saved += 16;
    dy += 16;
    dx += 16;
  }
}
