// Packing for the matrix product: strips of 4 rows of A or 4 columns of B, laid out k by k.
// Reads run at most 12 bytes past the source's end; lanes beyond its edge hold anything, and are never results.

/** dst[p] = (src[0][p], ..., src[3][p]) for p < kc: four rows of a matrix whose k lie side by side, transposed.
 *  Units: ld, step in bytes; rows >= 1, those past the 4th ignored, missing ones repeat the last.
 *  Writes kc rounded up to 4 vectors. */
export function pack_transposed(kc: i32, rows: i32, src: usize, ld: usize, dst: usize, step: usize): void {
  // One pointer that moves and three distances need fewer registers than four pointers.
  const d1 = rows > 1 ? ld : 0;
  const d2 = rows > 2 ? d1 + ld : d1;
  const d3 = rows > 3 ? d2 + ld : d2;
  for (const end = src + (<usize>((kc + 3) & ~3) << 2); src != end; src += 16) {
    const v0 = v128.load(src), v1 = v128.load(src + d1), v2 = v128.load(src + d2), v3 = v128.load(src + d3);
    const t0 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
    const t1 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
    const t2 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
    const t3 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
    v128.store(dst, v128.shuffle<i64>(t0, t1, 0, 2));
    dst += step;
    v128.store(dst, v128.shuffle<i64>(t0, t1, 1, 3));
    dst += step;
    v128.store(dst, v128.shuffle<i64>(t2, t3, 0, 2));
    dst += step;
    v128.store(dst, v128.shuffle<i64>(t2, t3, 1, 3));
    dst += step;
  }
}

/** dst[p] = src[p][0..3] for p < kc: four columns of a matrix whose k lie ld bytes apart. Units: step in bytes. */
export function pack_4(kc: i32, src: usize, ld: usize, dst: usize, step: usize): void {
  for (let p = 0; p < kc; ++p) {
    v128.store(dst, v128.load(src));
    src += ld;
    dst += step;
  }
}
