// The loops of all elementwise kernels. What is done to a vector is a class F with one inlined method `of`; F is
// never instantiated, it only names the method. The compact loops hold F once, the others three times: up to a quarter
// quicker, where F is short or hot.

// The ends of arrays go lane by lane, by recursion: the compiler would copy anything else into every kernel.

/** The first `count` (1 to 3) floats at `x`, other lanes in the rest. Reads nothing past them. */
function load_few(x: usize, count: i32): v128 {
  if (count == 1) return v128.load32_zero(x);
  const rest = load_few(x + 4, count - 1);
  return v128.load_lane<f32>(x, i8x16.shuffle(rest, rest, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 0);
}

/** Stores the first `count` (1 to 3) lanes and nothing past them. */
function store_few(y: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(y, v, 0);
  if (count == 1) return;
  store_few(y + 4, i8x16.shuffle(v, v, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3), count - 1);
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
    const v = f.of(n >= 4 ? v128.load(x) : load_few(x, n), ps, qs);
    if (n >= 4) v128.store(y, v);
    else store_few(y, v, n);
    x += 16;
    y += 16;
  }
}

/** dx = F(saved, dy; p, q) over n elements. */
// @ts-ignore: decorator
@inline
export function map_backward<F>(n: i32, saved: usize, dy: usize, dx: usize, p: f32 = 0, q: f32 = 0): void {
  const f = changetype<F>(0);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  for (; n >= 8; n -= 8) {
    const a = f.of(v128.load(saved), v128.load(dy), ps, qs);
    const b = f.of(v128.load(saved, 16), v128.load(dy, 16), ps, qs);
    v128.store(dx, a);
    v128.store(dx, b, 16);
    saved += 32;
    dy += 32;
    dx += 32;
  }
  map_backward_compact<F>(n, saved, dy, dx, p, q);
}

// @ts-ignore: decorator
@inline
export function map_backward_compact<F>(n: i32, saved: usize, dy: usize, dx: usize, p: f32 = 0, q: f32 = 0): void {
  const f = changetype<F>(0);
  const ps = f32x4.splat(p);
  const qs = f32x4.splat(q);
  for (; n > 0; n -= 4) {
    let s: v128, d: v128;
    if (n >= 4) {
      s = v128.load(saved);
      d = v128.load(dy);
    } else {
      s = load_few(saved, n);
      d = load_few(dy, n);
    }
    const v = f.of(s, d, ps, qs);
    if (n >= 4) v128.store(dx, v);
    else store_few(dx, v, n);
    saved += 16;
    dy += 16;
    dx += 16;
  }
}
