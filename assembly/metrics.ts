import { lane_mask, row_max } from "./rows";

/** Index of the first largest of x[0..n-1], NaN passed over; 0 when all are NaN. */
function first_largest(n: i32, x: usize): i32 {
  const max = row_max(n, x);
  for (let j = 0; j < n; j += 4) {
    const hits = i32x4.bitmask(f32x4.eq(v128.load(x + ((j as usize) << 2)), max));
    // A hit past the row's end can only come first when the row holds none.
    if (hits) return select(j + ctz(hits), 0, j + ctz(hits) < n);
  }
  return 0;
}

/** out[i] = index of the first largest element of row i; NaN is passed over.
 *  Shapes: x f32[rows, n], out i32[rows]. */
export function argmax(rows: i32, n: i32, x: usize, ldx: i32, out: usize): void {
  for (let i = 0; i < rows; i++) {
    store<i32>(out, first_largest(n, x));
    x += (ldx as usize) << 2;
    out += 4;
  }
}

/** How many rows have their first largest element at labels[i].
 *  Shapes: x f32[rows, n], labels i32[rows]. */
export function count_correct(rows: i32, n: i32, x: usize, ldx: i32, labels: usize): i32 {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    count += (first_largest(n, x) == load<i32>(labels)) as i32;
    x += (ldx as usize) << 2;
    labels += 4;
  }
  return count;
}

/** How many rows of x and of the targets have their first largest element at the same place.
 *  Shapes: x, targets f32[rows, n]. */
export function count_correct_dense(rows: i32, n: i32, x: usize, ldx: i32, targets: usize, ldt: i32): i32 {
  let count = 0;
  for (let i = 0; i < rows; i++) {
    count += (first_largest(n, x) == first_largest(n, targets)) as i32;
    x += (ldx as usize) << 2;
    targets += (ldt as usize) << 2;
  }
  return count;
}

/** How many elements satisfy (x > threshold) == (target > 0.5).
 *  Shapes: x, targets f32[rows, n]. */
export function count_correct_binary(
  rows: i32, n: i32, x: usize, ldx: i32, targets: usize, ldt: i32, threshold: f32,
): i32 {
  let wrong = 0;
  for (let i = 0; i < rows; i++) {
    let at: usize = 0;
    for (let left = n; left > 0; left -= 4) {
      const said = f32x4.gt(v128.load(x + at), f32x4.splat(threshold));
      const meant = f32x4.gt(v128.load(targets + at), f32x4.splat(0.5));
      wrong += popcnt(i32x4.bitmask(v128.and(v128.xor(said, meant), lane_mask(left))));
      at += 16;
    }
    x += (ldx as usize) << 2;
    targets += (ldt as usize) << 2;
  }
  return rows * n - wrong;
}
