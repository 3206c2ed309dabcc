// Sums of two buffers.
import { store_few } from "./map";

/** out = x + y over n elements; out may be x or y. */
export function add(n: i32, x: usize, y: usize, out: usize): void {
  for (; n > 0; n -= 4) {
    const v = f32x4.add(v128.load(x), v128.load(y));
    if (n < 4) {
      store_few(out, v, n);
      return;
    }
    v128.store(out, v);
    x += 16;
    y += 16;
    out += 16;
  }
}
