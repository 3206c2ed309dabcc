// @ts-nocheck AssemblyScript, compiled by main.mjs
// biome-ignore-all lint: AssemblyScript
// The machine's limit for one core and 128-bit vectors: nothing but multiply and add in registers. Chains start from
// different values, for the compiler merges equal ones. Of the forms tried, this one runs fastest on Zen 4 (x * a + b,
// whose sum waits for the product alone, reaches 90 % of it).

/** Twelve independent chains x <- x + x * multiplier, n times over; 96 n floating-point operations. The multiplier is
 *  a parameter, for V8 builds a constant anew at every use. */
export function control(n: i32, multiplier: f32): f32 {
  const a = f32x4.splat(multiplier);
  let x0 = f32x4.splat(1.5);
  let x1 = f32x4.splat(1.75);
  let x2 = f32x4.splat(2.0);
  let x3 = f32x4.splat(2.25);
  let x4 = f32x4.splat(2.5);
  let x5 = f32x4.splat(2.75);
  let x6 = f32x4.splat(3.0);
  let x7 = f32x4.splat(3.25);
  let x8 = f32x4.splat(3.5);
  let x9 = f32x4.splat(3.75);
  let x10 = f32x4.splat(4.0);
  let x11 = f32x4.splat(4.25);
  for (let i = 0; i < n; i++) {
    x0 = madd(x0, a, x0);
    x1 = madd(x1, a, x1);
    x2 = madd(x2, a, x2);
    x3 = madd(x3, a, x3);
    x4 = madd(x4, a, x4);
    x5 = madd(x5, a, x5);
    x6 = madd(x6, a, x6);
    x7 = madd(x7, a, x7);
    x8 = madd(x8, a, x8);
    x9 = madd(x9, a, x9);
    x10 = madd(x10, a, x10);
    x11 = madd(x11, a, x11);
  }
  let sum = x0;
  sum = f32x4.add(sum, x1);
  sum = f32x4.add(sum, x2);
  sum = f32x4.add(sum, x3);
  sum = f32x4.add(sum, x4);
  sum = f32x4.add(sum, x5);
  sum = f32x4.add(sum, x6);
  sum = f32x4.add(sum, x7);
  sum = f32x4.add(sum, x8);
  sum = f32x4.add(sum, x9);
  sum = f32x4.add(sum, x10);
  sum = f32x4.add(sum, x11);
  return f32x4.extract_lane(sum, 0);
}

function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}
