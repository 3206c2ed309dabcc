// Helpers that every kernel shares. All are inlined: none costs a call.

/** a * b + c on four lanes: two roundings in the strict build, one where the relaxed build's engine fuses. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Stores the first `count` (1 to 3) lanes of `v` at `ptr` and nothing past them. */
// @ts-ignore: decorator
@inline
export function store_tail(ptr: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(ptr, v, 0);
  if (count > 1) v128.store_lane<f32>(ptr, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(ptr, v, 2, 8);
}
