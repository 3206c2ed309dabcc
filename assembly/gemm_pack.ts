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

/** Rows of A, strip by strip. Units: bytes between rows (ra) and k (sa); kc rounded up to 4 vectors a strip. */
// @ts-ignore: decorator
@inline
export function pack_rows(rows: i32, kc: i32, a: usize, ra: usize, sa: usize, dst: usize): void {
  const strip = <usize>((kc + 3) & ~3) << 4;
  for (let i = 0; i < rows; i += 4) {
    if (sa == 4) pack_transposed(kc, rows - i, a, ra, dst, 16);
    else pack_4(kc, a, sa, dst, 16);
    a += ra << 2;
    dst += strip;
  }
}

/** Columns of B as one panel. Units: bytes between columns (rb), k (sb), and the panel's k (step). */
// @ts-ignore: decorator
@inline
export function pack_columns(cols: i32, kc: i32, b: usize, rb: usize, sb: usize, panel: usize, step: usize): void {
  for (let t = 0; t < cols; t += 4) {
    if (sb == 4) pack_transposed(kc, cols - t, b, rb, panel, step);
    else pack_4(kc, b, sb, panel, step);
    b += rb << 2;
    panel += 16;
  }
}
