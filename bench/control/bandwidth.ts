// @ts-nocheck AssemblyScript, compiled by ../peers/main.mjs
// biome-ignore-all lint: AssemblyScript
// The machine's limit for one core that reads what lies in a cache: nothing but 128-bit loads, and an addition each so
// that none is left out. Four streams side by side, for on Zen 3 a single one reaches about four fifths of them.

/** Sum of all 32-bit words. `bytes` is a multiple of 256. */
export function bandwidth(start: usize, bytes: usize): i32 {
  const quarter = bytes / 4;
  const end = start + quarter;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let p = start; p < end; p += 64) {
    let q = p;
    s0 = sum(s0, q);
    s1 = sum(s1, q + 16);
    s2 = sum(s2, q + 32);
    s3 = sum(s3, q + 48);
    q += quarter;
    s0 = sum(s0, q);
    s1 = sum(s1, q + 16);
    s2 = sum(s2, q + 32);
    s3 = sum(s3, q + 48);
    q += quarter;
    s0 = sum(s0, q);
    s1 = sum(s1, q + 16);
    s2 = sum(s2, q + 32);
    s3 = sum(s3, q + 48);
    q += quarter;
    s0 = sum(s0, q);
    s1 = sum(s1, q + 16);
    s2 = sum(s2, q + 32);
    s3 = sum(s3, q + 48);
  }
  const all = i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3));
  return (
    i32x4.extract_lane(all, 0) + i32x4.extract_lane(all, 1) + i32x4.extract_lane(all, 2) + i32x4.extract_lane(all, 3)
  );
}

function sum(so: v128, at: usize): v128 {
  return i32x4.add(so, v128.load(at));
}
