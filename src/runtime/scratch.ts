// How much scratch matrix products need: the TypeScript twin of the packing in assembly/gemm.ts and gemm_packed.ts.

const MC = 128;
export const KC = 256;
const NC = 512;

/** Bytes of packing scratch that sgemm_nn, sgemm_nt or sgemm_tn needs.
 *  Shapes: C[m,n], inner dimension k.
 *  Units: a multiple of 16; never falls when m, n or k rises, so a plan for many rows serves fewer. */
export function gemmScratchBytes(m: number, n: number, k: number): number {
  const depth = roundUp(Math.min(k, KC), 4);
  return 4 * depth * (roundUp(Math.min(m, MC), 4) + roundUp(Math.min(n, NC), 8));
}

/** The same of sgemm_packed, whose B is packed. */
export function packedScratchBytes(m: number, k: number): number {
  return gemmScratchBytes(m, 0, k);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
