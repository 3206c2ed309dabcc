// How much scratch the kernels need: the TypeScript twin of the packing in assembly/gemm.ts.

const MC = 128;
const KC = 256;
const NC = 512;

/** Bytes of packing scratch that sgemm_nn, sgemm_nt or sgemm_tn needs.
 *  Shapes: C[m,n], inner dimension k.
 *  Units: a multiple of 16; never falls when m, n or k rises, so a plan for many rows serves fewer. */
export function gemmScratchBytes(m: number, n: number, k: number): number {
  const depth = roundUp(Math.min(k, KC), 4);
  return 4 * depth * (roundUp(Math.min(m, MC), 4) + roundUp(Math.min(n, NC), 8));
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
