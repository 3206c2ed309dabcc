// What an entry gives: the model functions on the kernels that it brings.
import { SimdgradError, show } from "../errors.ts";
import type { ModuleSource } from "../runtime/module.ts";
import type { WasmModule } from "../wasm.ts";
import { createModel, type LoadOptions, loadModel, type SequentialConfig } from "./build.ts";
import type { Model } from "./model.ts";

export interface Runtime {
  /** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
  sequential(config: SequentialConfig): Model;
  /** Builds the model that was saved, with its state. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
  load(bytes: Uint8Array, options?: LoadOptions): Model;
}

export function runtimeOf(source: ModuleSource): Runtime {
  return {
    sequential: (config) => createModel(config, source),
    load: (bytes, options = {}) => loadModel(bytes, options, source),
  };
}

/** The same functions on a module that the caller compiled or imported himself: the package's kernels.wasm or
 *  kernels-relaxed.wasm. On one thread; `simd` is what the module is. Errors: CONFIG for another module. */
export function createRuntime(module: WasmModule): Runtime {
  checkModule(module);
  return runtimeOf((simd, shared) => {
    if (shared || simd === "relaxed") {
      throw new SimdgradError(
        "RUNTIME",
        `createRuntime: expected no ${shared ? "threads" : 'simd "relaxed"'}, which a given module decides.`,
        "Pass kernels-relaxed.wasm for relaxed SIMD; threads need the package's own modules.",
      );
    }
    return module;
  });
}

function checkModule(module: unknown): void {
  const isModule = module instanceof WebAssembly.Module;
  const known =
    isModule &&
    WebAssembly.Module.exports(module).some(({ name }) => name === "sgemm_nn") &&
    WebAssembly.Module.imports(module).every(({ kind }) => kind === "memory");
  if (known) return;
  throw new SimdgradError(
    "CONFIG",
    `createRuntime: expected the compiled kernels, received ${isModule ? "another module" : show(module)}.`,
    "Compile or import simdgrad/kernels.wasm.",
  );
}
