// A module bound to one linear memory of its own.
import { SimdgradError } from "../errors.ts";
import type { WasmMemory, WasmModule } from "../wasm.ts";
import type { Kernels } from "./abi.ts";

const PAGE = 65536;
/** 4 GiB is the end of a 32-bit memory; the last page stays out so that every address fits. */
export const MAX_BYTES = 65535 * PAGE;

export interface Instance {
  readonly memory: WasmMemory;
  readonly kernels: Kernels;
}

/** A fresh instance whose memory holds at least `bytes` bytes; a shared one wants a module made for it.
 *  Errors: MEMORY when the engine refuses. */
export function instantiate(module: WasmModule, bytes: number, shared = false): Instance {
  const memory = allocate(bytes, shared);
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { memory, kernels: exports as unknown as Kernels };
}

function allocate(bytes: number, shared: boolean): WasmMemory {
  const initial = pages(bytes);
  try {
    return new WebAssembly.Memory(shared ? { initial, maximum: MAX_BYTES / PAGE, shared } : { initial });
  } catch (cause) {
    throw refused(bytes, cause);
  }
}

/** Grows the memory to at least `bytes`; every view made before is detached. Errors: MEMORY. */
export function ensureBytes(memory: WasmMemory, bytes: number): void {
  const missing = pages(bytes) - memory.buffer.byteLength / PAGE;
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch (cause) {
    throw refused(bytes, cause);
  }
}

function pages(bytes: number): number {
  if (bytes > MAX_BYTES) {
    throw new SimdgradError(
      "MEMORY",
      `Expected at most ${MAX_BYTES} bytes (4 GiB, the end of a WebAssembly memory), received a need of ${bytes}.`,
      "Use smaller layers or a smaller maxBatch; planMemory(config) tells the size before building.",
    );
  }
  return Math.max(1, Math.ceil(bytes / PAGE));
}

function refused(bytes: number, cause: unknown): SimdgradError {
  return new SimdgradError(
    "MEMORY",
    `The engine refused ${bytes} bytes of WebAssembly memory.`,
    "Use smaller layers or a smaller maxBatch, or give the process more memory.",
    { cause },
  );
}
