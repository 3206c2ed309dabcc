// The loops of all elementwise kernels. What is done to a vector is a class F with one inlined method `of`; F is
// never instantiated, it only names the method.
import { load_tail, store_tail } from "./simd";

/** y = F(x; parameter) over n elements. */
// @ts-ignore: decorator
@inline
export function map<F>(n: i32, x: usize, y: usize, parameter: f32 = 0): void {
  const f = changetype<F>(0);
  const p = f32x4.splat(parameter);
  let left = n;
  for (; left >= 8; left -= 8) {
    const a = f.of(v128.load(x), p);
    const b = f.of(v128.load(x, 16), p);
    v128.store(y, a);
    v128.store(y, b, 16);
    x += 32;
    y += 32;
  }
  for (; left > 0; left -= 4) {
    if (left >= 4) v128.store(y, f.of(v128.load(x), p));
    else store_tail(y, f.of(load_tail(x, left), p), left);
    x += 16;
    y += 16;
  }
}

/** dx = F(saved, dy; parameter) over n elements. */
// @ts-ignore: decorator
@inline
export function map_backward<F>(n: i32, saved: usize, dy: usize, dx: usize, parameter: f32 = 0): void {
  const f = changetype<F>(0);
  const p = f32x4.splat(parameter);
  let left = n;
  for (; left >= 8; left -= 8) {
    const a = f.of(v128.load(saved), v128.load(dy), p);
    const b = f.of(v128.load(saved, 16), v128.load(dy, 16), p);
    v128.store(dx, a);
    v128.store(dx, b, 16);
    saved += 32;
    dy += 32;
    dx += 32;
  }
  for (; left > 0; left -= 4) {
    if (left >= 4) v128.store(dx, f.of(v128.load(saved), v128.load(dy), p));
    else store_tail(dx, f.of(load_tail(saved, left), load_tail(dy, left), p), left);
    saved += 16;
    dy += 16;
    dx += 16;
  }
}
