// Matrices as sgemm_packed reads them: the TypeScript twin of assembly/gemm_packed.ts.
import { KC } from "./scratch.ts";

/** Columns of a panel. */
const WIDTH = 8;

/** B in panels: for each block of K in turn 8 columns, then the next 8, and last what is left, each k by k. What a tile
 *  reads lies side by side, and nothing is added: a panel is as wide as its columns.
 *  Shapes: from f32[k,n] row-major, to f32[k * n]. */
export function packPanels(k: number, n: number, from: Float32Array, to: Float32Array): void {
  let at = 0;
  for (let block = 0; block < k; block += KC) {
    const end = Math.min(block + KC, k) * n;
    for (let j = 0; j < n; j += WIDTH) {
      const width = Math.min(WIDTH, n - j);
      for (let row = block * n + j; row < end; row += n) {
        for (let i = row; i < row + width; i++) to[at++] = from[i];
      }
    }
  }
}
