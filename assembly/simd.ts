// Helpers that every kernel shares. All are inlined: none costs a call.

/** a * b + c on four lanes: two roundings in the strict build, one where the relaxed build's engine fuses. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The first `count` (1 to 3) floats at `ptr`, the other lanes 0. Reads nothing past them. */
// @ts-ignore: decorator
@inline
export function load_tail(ptr: usize, count: i32): v128 {
  let v = v128.load32_zero(ptr);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(ptr, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(ptr, 8));
  return v;
}

/** Stores the first `count` (1 to 3) lanes of `v` at `ptr` and nothing past them. */
// @ts-ignore: decorator
@inline
export function store_tail(ptr: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(ptr, v, 0);
  if (count > 1) v128.store_lane<f32>(ptr, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(ptr, v, 2, 8);
}
