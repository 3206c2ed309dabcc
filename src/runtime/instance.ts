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

/** A need that is refused for its size is larger. Units: bytes. */
const SMALL = 2 ** 26;

/** Memory that a call needs, and what to do when there is none. */
export interface Need {
  readonly where: string;
  readonly bytes: number;
  readonly hint?: string;
}

/** A fresh instance whose memory holds at least what is needed; a shared one wants a module made for it.
 *  Errors: MEMORY when the engine refuses. */
export function instantiate(module: WasmModule, need: Need, shared = false): Instance {
  const memory = allocate(need, shared);
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { memory, kernels: exports as unknown as Kernels };
}

function allocate(need: Need, shared: boolean): WasmMemory {
  const initial = pages(need);
  try {
    return new WebAssembly.Memory(shared ? { initial, maximum: MAX_BYTES / PAGE, shared } : { initial });
  } catch (cause) {
    throw refused(need, cause);
  }
}

/** Grows the memory to at least what is needed; every view made before is detached. Errors: MEMORY. */
export function ensureBytes(memory: WasmMemory, need: Need): void {
  const missing = pages(need) - memory.buffer.byteLength / PAGE;
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch (cause) {
    throw refused(need, cause);
  }
}

function pages({ where, bytes, hint }: Need): number {
  if (bytes > MAX_BYTES) {
    throw new SimdgradError(
      "MEMORY",
      `${where}: expected at most ${MAX_BYTES} bytes (4 GiB, the end of a WebAssembly memory), received a need of ${bytes}.`,
      hint,
    );
  }
  return Math.max(1, Math.ceil(bytes / PAGE));
}

function refused({ where, bytes, hint }: Need, cause: unknown): SimdgradError {
  const message = `${where}: expected ${bytes} bytes of WebAssembly memory, received the engine's refusal.`;
  // Engines reserve gigabytes of addresses for a memory of any size.
  const held = "Too many models are alive, or the process may have too few addresses (ulimit -v).";
  return new SimdgradError("MEMORY", message, bytes < SMALL ? held : hint, { cause });
}
