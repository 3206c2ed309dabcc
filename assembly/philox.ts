// Philox 4x32-10, a counter-based generator: word i of a sequence is word i % 4 of the block whose counter is
// (floor(i / 4), index, stream, purpose), under the key (seedLow, seedHigh). Not among the module's exports.
// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
import { log_ps, sin_2pi_ps } from "./math";

export const WORDS = 0;
export const UNIFORM = 1;
export const NORMAL = 2;
export const DROPOUT = 3;

// Four lanes of 32 x 32 bit products, low and high words apart.
// @ts-ignore: decorator
@inline
function low_words(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function high_words(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

/** The upper 24 bits as a fraction in [0, 1). */
// @ts-ignore: decorator
@inline
function fraction(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(5.9604644775390625e-8));
}

/** low + range * fraction, at most `cap`. */
// @ts-ignore: decorator
@inline
function uniform(words: v128, low: f32, range: f32, cap: f32): v128 {
  const x = f32x4.add(f32x4.mul(fraction(words), f32x4.splat(range)), f32x4.splat(low));
  return f32x4.pmin(x, f32x4.splat(cap));
}

/** mean + deviation * r * cos and sin of 2 pi t in turn, where r = sqrt(-2 log u), u = (word + 1/2) 2^-32 in (0, 1] of
 *  the even words (all 32 bits, so the tails reach 6.7) and t the fractions of the odd ones. */
// @ts-ignore: decorator
@inline
function normal(words: v128, mean: f32, deviation: f32): v128 {
  const u = f32x4.add(
    f32x4.mul(f32x4.convert_i32x4_u(v128.shuffle<u32>(words, words, 0, 0, 2, 2)), f32x4.splat(2.3283064365386963e-10)),
    f32x4.splat(1.1641532182693481e-10),
  );
  const r = f32x4.sqrt(f32x4.mul(log_ps(u), f32x4.splat(-2)));
  // The cosine is the sine a quarter turn on: 2^30 of a word's 2^32.
  const angle = i32x4.add(v128.shuffle<u32>(words, words, 1, 1, 3, 3), i32x4(0x40000000, 0, 0x40000000, 0));
  const x = f32x4.mul(f32x4.mul(r, sin_2pi_ps(fraction(angle))), f32x4.splat(deviation));
  return f32x4.add(x, f32x4.splat(mean));
}

/** scale * x where the fraction is at least `rate`, else 0. */
// @ts-ignore: decorator
@inline
function dropped(words: v128, x: v128, rate: f32, scale: f32): v128 {
  return v128.and(f32x4.mul(x, f32x4.splat(scale)), f32x4.ge(fraction(words), f32x4.splat(rate)));
}

/** Elements first..first+n-1 of a sequence: the words; or offset + factor * fraction, at most `cap`; or
 *  offset + factor * a normal number; or factor * x where the fraction is at least offset, else 0 (first a multiple
 *  of 4). */
export function generate(
  kind: i32, n: i32, out: usize, seedLow: u32, seedHigh: u32, purpose: u32, stream: u32, index: u32, first: u32,
  offset: f32, factor: f32, cap: f32, x: usize,
): void {
  const m0 = i32x4.splat(0xd2511f53);
  const m1 = i32x4.splat(0xcd9e8d57);
  let block = first >> 2;
  // Four blocks at a time, one to a lane; c0..c3 are their words.
  for (let at = -((first & 3) as i32); at < n; at += 16) {
    let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
    let c1 = i32x4.splat(index);
    let c2 = i32x4.splat(stream);
    let c3 = i32x4.splat(purpose);
    let k0 = seedLow;
    let k1 = seedHigh;
    for (let round = 0; round < 10; round++) {
      const a0 = i64x2.extmul_low_i32x4_u(c0, m0);
      const a1 = i64x2.extmul_high_i32x4_u(c0, m0);
      const b0 = i64x2.extmul_low_i32x4_u(c2, m1);
      const b1 = i64x2.extmul_high_i32x4_u(c2, m1);
      c0 = v128.xor(v128.xor(high_words(b0, b1), c1), i32x4.splat(k0));
      c2 = v128.xor(v128.xor(high_words(a0, a1), c3), i32x4.splat(k1));
      c1 = low_words(b0, b1);
      c3 = low_words(a0, a1);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    const p0 = v128.shuffle<u32>(c0, c1, 0, 4, 1, 5);
    const p1 = v128.shuffle<u32>(c0, c1, 2, 6, 3, 7);
    const q0 = v128.shuffle<u32>(c2, c3, 0, 4, 1, 5);
    const q1 = v128.shuffle<u32>(c2, c3, 2, 6, 3, 7);
    let w0 = v128.shuffle<u64>(p0, q0, 0, 2);
    let w1 = v128.shuffle<u64>(p0, q0, 1, 3);
    let w2 = v128.shuffle<u64>(p1, q1, 0, 2);
    let w3 = v128.shuffle<u64>(p1, q1, 1, 3);
    for (let to = at, end = min(at + 16, n); to < end; to += 4) {
      let v = w0;
      w0 = w1;
      w1 = w2;
      w2 = w3;
      if (kind == UNIFORM) v = uniform(v, offset, factor, cap);
      else if (kind == NORMAL) v = normal(v, offset, factor);
      else if (kind == DROPOUT) v = dropped(v, v128.load(x + ((to as usize) << 2)), offset, factor);
      if (to >= 0 && to <= n - 4) {
        v128.store(out + ((to as usize) << 2), v);
        continue;
      }
      for (let lane = to; lane < to + 4; lane++) {
        if (lane >= 0 && lane < n) store<u32>(out + ((lane as usize) << 2), i32x4.extract_lane(v, 0));
        v = v128.shuffle<u32>(v, v, 1, 2, 3, 0);
      }
    }
    block += 4;
  }
}
