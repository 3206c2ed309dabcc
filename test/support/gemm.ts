// Runs sgemm on operands between guard cells and holds the result against the f64 reference and against bits.
import {
  GEMM_ACCUMULATE,
  GEMM_PADDED,
  GEMM_RELU,
  gemmScratchBytes,
  type KernelSpace,
  type Kernels,
} from "../../src/kernels.ts";
import type { InferKernels } from "../../src/runtime/abi.ts";
import { KC, packedScratchBytes } from "../../src/runtime/scratch.ts";
import { gemm, type Product, rowMajor } from "../reference/gemm.ts";
import { gamma, violation } from "./bounds.ts";
import { GUARD } from "./space.ts";

export const LAYOUTS = ["nn", "nt", "tn"] as const;
/** Packed: NN whose B lies in panels. */
export type Layout = (typeof LAYOUTS)[number] | "packed";

/** What C = A B is combined with. */
export interface Combination {
  readonly bias: boolean;
  readonly accumulate: boolean;
  readonly relu: boolean;
}

export const COMBINATIONS: readonly Combination[] = [
  { bias: false, accumulate: false, relu: false },
  { bias: true, accumulate: false, relu: false },
  { bias: false, accumulate: true, relu: false },
  { bias: false, accumulate: false, relu: true },
  { bias: true, accumulate: false, relu: true },
  { bias: false, accumulate: true, relu: true },
];

/** A [m, k], B [k, n], C's content before [m, n] and bias [n], of which a case takes the upper left part. */
export interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly before: Float32Array;
  readonly bias: Float32Array;
}

/** Extra elements from row to row, and 4-byte steps off alignment, of A, B and C. */
export interface Placement {
  readonly pads: readonly [number, number, number];
  readonly shifts: readonly [number, number, number];
  readonly padded: boolean;
}

export const PLAIN: Placement = { pads: [0, 0, 0], shifts: [0, 0, 0], padded: false };

interface Block {
  readonly floats: Float32Array;
  readonly bits: Uint32Array;
}

/** Runs products of at most the given sizes; its blocks are reused from call to call. Packed ones want a space of the
 *  build that only predicts. */
export class GemmRunner {
  private readonly space: KernelSpace;
  private readonly a: Block;
  private readonly b: Block;
  private readonly c: Block;
  private readonly bias: Float32Array;
  private readonly scratch: Block;
  private rowMajor: Block | undefined;
  private readonly start = 16;

  constructor(space: KernelSpace, m: number, n: number, k: number) {
    const margin = 40;
    this.space = space;
    this.a = this.block(Math.max(m * (k + 4), k * (m + 4)) + margin);
    this.b = this.block(Math.max(n * (k + 4), k * (n + 4)) + margin);
    this.c = this.block(m * (n + 8) + margin);
    this.bias = space.f32(n + 4);
    this.scratch = this.block(gemmScratchBytes(m, n, k) / 4 + 16);
  }

  private block(length: number): Block {
    const floats = this.space.f32(length);
    return { floats, bits: new Uint32Array(floats.buffer, floats.byteOffset, length) };
  }

  /** C[m,n] of the problem's upper left part, or what went wrong outside C, in words. */
  run(
    problem: Problem,
    layout: Layout,
    m: number,
    n: number,
    k: number,
    how: Combination,
    at: Placement,
  ): Float32Array {
    const { a, b, c, start } = this;
    const [aRows, aColumns] = layout === "tn" ? [k, m] : [m, k];
    const [bRows, bColumns] = layout === "nt" ? [n, k] : [k, n];
    const lda = aColumns + at.pads[0];
    const ldb = bColumns + at.pads[1];
    const ldc = at.padded ? Math.ceil(n / 4) * 4 : n + at.pads[2];
    place(a, start + at.shifts[0], aRows, aColumns, lda, problem.a, problem.k, layout === "tn");
    if (layout === "packed") this.placePanels(start + at.shifts[1], k, n, problem.b, problem.n);
    else place(b, start + at.shifts[1], bRows, bColumns, ldb, problem.b, problem.n, layout === "nt");
    place(c, start + at.shifts[2], how.accumulate ? m : 0, n, ldc, problem.before, problem.n, false);
    const used = start + at.shifts[2] + (m > 0 ? (m - 1) * ldc + Math.max(n, at.padded ? ldc : 0) : 0);
    c.bits.fill(GUARD, how.accumulate ? used : 0, Math.min(used + 16, c.bits.length));
    if (how.accumulate) guardPads(c, start + at.shifts[2], m, n, ldc);
    else c.bits.fill(GUARD, 0, used);
    this.bias.set(problem.bias.subarray(0, n));
    this.bias.fill(Number.NaN, n, n + 4);
    const words = (layout === "packed" ? packedScratchBytes(m, k) : gemmScratchBytes(m, n, k)) / 4;
    this.scratch.bits.fill(GUARD, words, words + 16);

    const flags = (how.accumulate ? GEMM_ACCUMULATE : 0) | (how.relu ? GEMM_RELU : 0) | (at.padded ? GEMM_PADDED : 0);
    const [pa, pb, pc] = [a, b, c].map(({ floats }, i) => floats.byteOffset + 4 * (start + at.shifts[i]));
    const bias = how.bias ? this.bias.byteOffset : 0;
    const scratch = this.scratch.floats.byteOffset;
    const kernels = this.space.kernels as Kernels & InferKernels;
    if (layout === "packed") kernels.sgemm_packed(m, n, k, pa, lda, pb, pc, ldc, bias, flags, scratch);
    else kernels[`sgemm_${layout}`](m, n, k, pa, lda, pb, ldb, pc, ldc, bias, flags, scratch);

    for (let i = words; i < words + 16; i++) {
      if (this.scratch.bits[i] !== GUARD) throw new Error(`scratch was written ${i - words} floats past its end`);
    }
    return collect(c, start + at.shifts[2], m, n, ldc, at.padded ? ldc : n);
  }

  /** B in panels, each block of k packed in two pieces, and NaN around it. */
  private placePanels(start: number, k: number, n: number, source: Float32Array, sourceLd: number): void {
    this.rowMajor ??= this.block(this.b.floats.length);
    const { b, rowMajor } = this;
    const kernels = this.space.kernels as Kernels & InferKernels;
    place(rowMajor, start, k, n, n, source, sourceLd, false);
    b.floats.fill(Number.NaN, 0, Math.min(start + k * n + 16, b.floats.length));
    for (let block = 0; block < k; block += KC) {
      const kc = Math.min(KC, k - block);
      const cut = Math.floor(kc / 3);
      const at = 4 * (start + block * n);
      const [from, to] = [rowMajor.floats.byteOffset + at, b.floats.byteOffset + at];
      kernels.pack_panels(kc - cut, n, from + 4 * cut * n, cut, kc, to);
      kernels.pack_panels(cut, n, from, 0, kc, to);
    }
  }
}

/** Writes the upper left rows x columns of `source` (of its transpose, if so) and NaN around them. */
function place(
  target: Block,
  start: number,
  rows: number,
  columns: number,
  ld: number,
  source: Float32Array,
  sourceLd: number,
  transpose: boolean,
): void {
  const { floats } = target;
  floats.fill(Number.NaN, 0, start);
  let at = start;
  for (let i = 0; i < rows; i++, at += ld) {
    if (transpose) for (let j = 0; j < columns; j++) floats[at + j] = source[j * sourceLd + i];
    else for (let j = 0; j < columns; j++) floats[at + j] = source[i * sourceLd + j];
    for (let j = columns; j < ld; j++) floats[at + j] = Number.NaN;
  }
  const end = Math.max(start, at);
  floats.fill(Number.NaN, end, Math.min(end + 16, floats.length));
}

function guardPads(c: Block, start: number, m: number, n: number, ldc: number): void {
  c.bits.fill(GUARD, 0, start);
  for (let i = 0; i < m; i++) c.bits.fill(GUARD, start + i * ldc + n, start + (i + 1) * ldc);
}

/** C's elements; throws where a cell outside its first `width` columns was written. */
function collect(c: Block, start: number, m: number, n: number, ldc: number, width: number): Float32Array {
  const out = new Float32Array(m * n);
  for (let at = 0; at < start; at++) if (c.bits[at] !== GUARD) throw new Error(`written ${start - at} floats before C`);
  let at = start;
  for (let i = 0; i < m; i++, at += ldc) {
    for (let j = 0; j < n; j++) out[i * n + j] = c.floats[at + j];
    const end = i < m - 1 ? ldc : width + 16;
    for (let j = width; j < end; j++) {
      if (c.bits[at + j] !== GUARD) throw new Error(`written ${j - n + 1} floats past row ${i} of C`);
    }
  }
  return out;
}

/** What went wrong, in words: C of the whole problem against the f64 reference. */
export function checkAgainstReference(problem: Problem, product: Product, how: Combination, c: Float32Array) {
  const { n, k } = problem;
  const init = (i: number): number => (how.accumulate ? problem.before[i] : how.bias ? problem.bias[i % n] : 0);
  const expected = product.value.map((value, i) => (how.relu ? Math.max(value + init(i), 0) : value + init(i)));
  // k products and additions, and one addition for bias or C: no order of summation does worse.
  const factor = gamma(k + 2);
  return violation(c, expected, (i) => factor * (product.magnitude[i] + Math.abs(init(i))));
}

export function reference({ m, n, k, a, b }: Problem): Product {
  return gemm(m, n, k, rowMajor(a, k), rowMajor(b, n));
}

/** The first element of the m x n product whose bits are not those of the problem's whole product, in words. */
export function differsFromWhole(
  c: Float32Array,
  m: number,
  n: number,
  whole: Float32Array,
  wholeN: number,
): string | undefined {
  const bits = new Uint32Array(c.buffer);
  const wholeBits = new Uint32Array(whole.buffer);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      if (bits[i * n + j] !== wholeBits[i * wholeN + j]) {
        return `C[${i},${j}] = ${c[i * n + j]}, expected ${whole[i * wholeN + j]}`;
      }
    }
  }
  return undefined;
}
