// The loops of the elementwise kernels. What is done to a vector is a class F with one inlined method `of`; F is
// never instantiated, it only names the method. The compact loop holds F once, the others three times: up to a quarter
// quicker, where F is short or hot. Loads run past the end; a loop is left at the short vector that ends an array,
// since what follows a call within the loop would have to load its constants again.

/** Stores the first `count` (1 to 3) lanes and nothing past them. It calls itself, so that the compiler copies it
 *  nowhere. */
export function store_few(y: usize, v: v128, count: i32): void {
  if (count == 1) {
    v128.store_lane<f32>(y, v, 0);
    return;
  }
  v128.store_lane<u64>(y, v, 0);
  if (count == 3) store_few(y + 8, v128.shuffle<u64>(v, v, 1, 1), 1);
}

/** Stores those of four sums that `count` columns have, if any, added to what is there when acc is 1. */
export function store_sums(to: usize, sums: v128, acc: i32, count: i32): void {
  if (count <= 0) return;
  if (acc) sums = f32x4.add(sums, v128.load(to));
  if (count >= 4) v128.store(to, sums);
  else store_few(to, sums, count);
}

/** y = F(x; p, q) over n elements. */
// @ts-ignore: decorator
@inline
export function map<F>(n: i32, x: usize, y: usize, p: f32 = 0, q: f32 = 0): void {
  const f = changetype<F>(0);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  for (; n >= 8; n -= 8) {
    const a = f.of(v128.load(x), ps, qs);
    const b = f.of(v128.load(x, 16), ps, qs);
    v128.store(y, a);
    v128.store(y, b, 16);
    x += 32;
    y += 32;
  }
  map_compact<F>(n, x, y, p, q);
}

// @ts-ignore: decorator
@inline
export function map_compact<F>(n: i32, x: usize, y: usize, p: f32 = 0, q: f32 = 0): void {
  const f = changetype<F>(0);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  for (; n > 0; n -= 4) {
    const v = f.of(v128.load(x), ps, qs);
    if (n < 4) {
      store_few(y, v, n);
      return;
    }
    v128.store(y, v);
    x += 16;
    y += 16;
  }
}

/** dx = F(saved, dy; p, q, mask) over n elements. */
// @ts-ignore: decorator
@inline
export function map_backward<F>(
  n: i32, saved: usize, dy: usize, dx: usize, p: f32 = 0, q: f32 = 0, mask: i32 = 0,
): void {
  const f = changetype<F>(0);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  const bits = i32x4.splat(mask);
  for (; n >= 8; n -= 8) {
    const a = f.of(v128.load(saved), v128.load(dy), ps, qs, bits);
    const b = f.of(v128.load(saved, 16), v128.load(dy, 16), ps, qs, bits);
    v128.store(dx, a);
    v128.store(dx, b, 16);
    saved += 32;
    dy += 32;
    dx += 32;
  }
  for (; n > 0; n -= 4) {
    const v = f.of(v128.load(saved), v128.load(dy), ps, qs, bits);
    if (n < 4) {
      store_few(dx, v, n);
      return;
    }
    v128.store(dx, v);
    saved += 16;
    dy += 16;
    dx += 16;
  }
}
