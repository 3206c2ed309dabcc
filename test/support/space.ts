// Kernel operands for tests: every block lies between guard cells and starts at a changing 4-byte offset.
import { inferWasm } from "../../src/generated/infer.ts";
import { createKernels, type KernelSpace, type KernelSpaceOptions, type Kernels } from "../../src/kernels.ts";
import type { InferKernels } from "../../src/runtime/abi.ts";
import { inlinedModule } from "../../src/runtime/module.ts";
import { spacesOn } from "../../src/runtime/space.ts";

/** Which build the kernel tests run: SIMDGRAD_SIMD=relaxed (or auto) takes the one with fused multiply-add. */
export const SIMD = (process.env.SIMDGRAD_SIMD ?? "strict") as NonNullable<KernelSpaceOptions["simd"]>;

export const openKernels = (bytes: number): KernelSpace => createKernels({ simd: SIMD, bytes });

/** The build that only predicts, which is strict: of Kernels it has what assembly/infer.ts names. */
export interface InferSpace extends KernelSpace {
  readonly kernels: Kernels & InferKernels;
}

const inferSpaces = spacesOn(inlinedModule(inferWasm));

export const openInferKernels = (bytes: number): InferSpace => inferSpaces({ bytes }) as InferSpace;

/** A NaN with a payload of its own: it spoils a result that reads it, and a write over it is seen. */
export const GUARD = 0x7fedc0de;
const MARGIN = 16;

/** A matrix in the kernels' memory. Rows are `ld` elements apart; pads and surroundings hold GUARD. */
export interface Operand {
  readonly address: number;
  readonly ld: number;
  /** The rows x n elements, contiguous: a copy. */
  read(): Float32Array;
  write(values: ArrayLike<number>): void;
  /** Where the first cell outside the matrix was written, or undefined. `width`: columns that may be written. */
  trespass(width?: number): string | undefined;
}

export interface TestSpace {
  readonly kernels: Kernels;
  /** A matrix; its elements are GUARD (NaN) until written. */
  matrix(rows: number, n: number, ld?: number, values?: ArrayLike<number>): Operand;
  vector(n: number, values?: ArrayLike<number>): Operand;
  i32(values: ArrayLike<number>): Int32Array;
  f64(n: number): Float64Array;
  f32(n: number): Float32Array;
  reset(): void;
}

export function openSpace(bytes = 1 << 24): TestSpace {
  const space = openKernels(bytes);
  let turn = 0;

  const matrix = (rows: number, n: number, ld = n, values?: ArrayLike<number>): Operand => {
    const extent = rows === 0 || n === 0 ? 0 : (rows - 1) * ld + n;
    const shift = turn++ % 4;
    const block = space.f32(extent + 2 * MARGIN + 4);
    const bits = new Uint32Array(block.buffer, block.byteOffset, block.length).fill(GUARD);
    const start = MARGIN + shift;
    const operand = guarded(block, bits, start, rows, n, ld);
    if (values) operand.write(values);
    return operand;
  };

  return {
    kernels: space.kernels,
    matrix,
    vector: (n, values) => matrix(1, n, n, values),
    i32: (values) => {
      const block = space.i32(values.length);
      block.set(values);
      return block;
    },
    f64: (n) => space.f64(n).fill(Number.NaN),
    f32: (n) => space.f32(n),
    reset: () => space.reset(),
  };
}

function guarded(block: Float32Array, bits: Uint32Array, start: number, rows: number, n: number, ld: number): Operand {
  return {
    address: block.byteOffset + 4 * start,
    ld,
    read: () => {
      const out = new Float32Array(rows * n);
      for (let i = 0; i < rows; i++) out.set(block.subarray(start + i * ld, start + i * ld + n), i * n);
      return out;
    },
    write: (values) => {
      if (values.length !== rows * n) throw new Error(`Expected ${rows * n} values, received ${values.length}.`);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < n; j++) block[start + i * ld + j] = values[i * n + j];
      }
    },
    trespass: (width = n) => {
      for (let at = 0; at < bits.length; at++) {
        if (bits[at] === GUARD) continue;
        const row = Math.floor((at - start) / ld);
        const column = at - start - row * ld;
        const inside = at >= start && row < rows && column < width;
        if (!inside) return `cell ${at - start} (row ${row}, column ${column} of ${rows} x ${n}, ld ${ld})`;
      }
      return undefined;
    },
  };
}
