// What an entry gives: the model functions on the kernels that it brings.
import { SimdgradError, show } from "../errors.ts";
import { hasKernels } from "../runtime/given.ts";
import type { ModuleSource } from "../runtime/module.ts";
import type { WasmModule } from "../wasm.ts";
import { createModel, type LoadOptions, loadModel, type Parts, type SequentialConfig } from "./build.ts";
import type { Model } from "./model.ts";

/** The model functions on a module of your own. */
export interface Runtime {
  /** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
  sequential(config: SequentialConfig): Model;
  /** Builds the model that was saved, with its state. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
  load(bytes: Uint8Array, options?: LoadOptions): Model;
}

/** Apart from loadOn, so that a program that loads nothing holds no reader. */
export function sequentialOn(parts: Parts): Runtime["sequential"] {
  return (config) => createModel(config, parts);
}

export function loadOn(parts: Parts): Runtime["load"] {
  return (bytes, options = {}) => loadModel(bytes, options, parts);
}

/** The same functions on a module that the caller compiled or imported himself: the package's kernels.wasm or
 *  kernels-relaxed.wasm. On one thread; `simd` is what the module is. Errors: CONFIG for another module. */
export function createRuntime(module: WasmModule): Runtime {
  checkModule(module);
  const modules: ModuleSource = (simd, shared) => {
    if (shared || simd === "relaxed") {
      throw new SimdgradError(
        "RUNTIME",
        `createRuntime: expected no ${shared ? "threads" : 'simd "relaxed"'}, which a given module decides.`,
        "Pass kernels-relaxed.wasm for relaxed SIMD; threads need the package's own modules.",
      );
    }
    return module;
  };
  return { sequential: sequentialOn({ modules }), load: loadOn({ modules }) };
}

function checkModule(module: unknown): void {
  const isModule = module instanceof WebAssembly.Module;
  if (isModule && hasKernels(module)) return;
  throw new SimdgradError(
    "CONFIG",
    `createRuntime: expected the compiled kernels, received ${isModule ? "another module" : show(module)}.`,
    "Compile or import kernels.wasm or kernels-relaxed.wasm of this version of simdgrad.",
  );
}
