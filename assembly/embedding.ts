// Rows of a table by index. Indices are whole f32 numbers below the table's rows, which the caller has checked; they
// stand ldi elements apart.
import { store_few } from "./map";

// @ts-ignore: decorator
@inline
function row_of(table: usize, ldt: i32, index: usize): usize {
  return table + (((load<f32>(index) as usize) * (ldt as usize)) << 2);
}

/** y[i] = table[index[i]].
 *  Shapes: index f32[rows], table f32[any, n], y f32[rows, n]. */
export function gather_rows(
  rows: i32, n: i32, index: usize, ldi: i32, table: usize, ldt: i32, y: usize, ldy: i32,
): void {
  for (; rows > 0; rows--) {
    memory.copy(y, row_of(table, ldt, index), (n as usize) << 2);
    index += (ldi as usize) << 2;
    y += (ldy as usize) << 2;
  }
}

/** dtable[index[i]] += dy[i], in the order of i.
 *  Shapes: index f32[rows], dy f32[rows, n], dtable f32[any, n].
 *  Error: as column_sums, over the rows of an index. */
export function scatter_rows(
  rows: i32, n: i32, index: usize, ldi: i32, dy: usize, lddy: i32, dtable: usize, lddt: i32,
): void {
  for (; rows > 0; rows--) {
    let from = dy;
    let to = row_of(dtable, lddt, index);
    for (let left = n; left > 0; left -= 4) {
      const v = f32x4.add(v128.load(to), v128.load(from));
      if (left < 4) store_few(to, v, left);
      else v128.store(to, v);
      from += 16;
      to += 16;
    }
    index += (ldi as usize) << 2;
    dy += (lddy as usize) << 2;
  }
}
