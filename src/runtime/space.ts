// The raw kernels on a linear memory with an arena.
import { SimdgradError } from "../errors.ts";
import { checkCount, checkKeys, checkName } from "../options.ts";
import type { WasmMemory } from "../wasm.ts";
import { ARENA_BASE, type Kernels } from "./abi.ts";
import { instantiate } from "./instance.ts";
import { type ModuleSource, SIMD_MODES, type Simd } from "./module.ts";
import { gemmScratchBytes as scratchBytes } from "./scratch.ts";

/** Options of `createKernels`. */
export interface KernelSpaceOptions {
  /** `"strict"`: the same bits on every engine. */
  simd?: Simd | undefined;
  /** Size of the arena. Default 16 MiB. */
  bytes?: number | undefined;
}

/** Kernels and an arena. A block is a view into the memory: its `byteOffset` is the address that kernels take. */
export interface KernelSpace {
  readonly kernels: Kernels;
  /** Never grows. */
  readonly memory: WasmMemory;
  /** A block of n floats, 64-byte aligned, contents unspecified. Errors: MEMORY when the arena is full. */
  f32(n: number): Float32Array;
  /** As f32. */
  i32(n: number): Int32Array;
  /** As f32. */
  f64(n: number): Float64Array;
  /** Frees all blocks at once; views that are held alias what comes next. */
  reset(): void;
}

/** The kernels on a memory of their own. */
export type CreateKernels = (options?: KernelSpaceOptions) => KernelSpace;

/** `createKernels` on the modules of a source. Errors: CONFIG; RUNTIME when the engine lacks what `simd` asks for;
 *  MEMORY. */
export function spacesOn(source: ModuleSource): CreateKernels {
  return (options = {}) => createSpace(source, options);
}

function createSpace(source: ModuleSource, options: KernelSpaceOptions): KernelSpace {
  checkKeys("createKernels", options, ["simd", "bytes"]);
  const { simd = "strict", bytes = 1 << 24 } = options;
  checkName("createKernels", "simd", simd, SIMD_MODES);
  checkCount("createKernels", "bytes", bytes, 0);
  // Kernels may read 16 bytes past a matrix's end: 64 spare bytes close the arena.
  const need = { where: "createKernels", bytes: ARENA_BASE + bytes + 64, hint: "Pass a smaller `bytes`." };
  const { memory, kernels } = instantiate(source(simd, false), need);
  const limit = ARENA_BASE + Math.ceil(bytes / 64) * 64;
  let next = ARENA_BASE;

  const take = (where: string, length: number, width: number): number => {
    checkCount(where, "n", length, 0);
    const address = next;
    const end = address + Math.ceil((length * width) / 64) * 64;
    if (end > limit) {
      throw new SimdgradError(
        "MEMORY",
        `${where}: expected ${length * width} free bytes in the arena, found ${limit - address}.`,
        "Pass a larger `bytes` to createKernels, or reset().",
      );
    }
    next = end;
    return address;
  };

  return {
    kernels,
    memory,
    f32: (n) => new Float32Array(memory.buffer, take("f32", n, 4), n),
    i32: (n) => new Int32Array(memory.buffer, take("i32", n, 4), n),
    f64: (n) => new Float64Array(memory.buffer, take("f64", n, 8), n),
    reset: () => {
      next = ARENA_BASE;
    },
  };
}

/** Bytes of packing scratch that sgemm_nn, sgemm_nt or sgemm_tn needs.
 *  Shapes: C[m,n], inner dimension k. Errors: CONFIG.
 *  Units: a multiple of 16; never falls when m, n or k rises, so a plan for many rows serves fewer. */
export function gemmScratchBytes(m: number, n: number, k: number): number {
  for (const [name, size] of Object.entries({ m, n, k })) checkCount("gemmScratchBytes", name, size, 0);
  return scratchBytes(m, n, k);
}
