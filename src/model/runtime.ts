// What an entry gives: the model functions on the kernels that it brings.
import { SimdgradError, show } from "../errors.ts";
import type { ModuleSource } from "../runtime/module.ts";
import { createModel, type Model, type RunOptions, type SequentialConfig } from "./model.ts";

export interface Runtime {
  /** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
  sequential(config: SequentialConfig): Model;
  /** Not in this version: answers RUNTIME. */
  load(bytes: Uint8Array, options?: RunOptions): Model;
}

export function runtimeOf(source: ModuleSource): Runtime {
  return {
    sequential: (config) => createModel(config, source),
    load: () => {
      throw new SimdgradError(
        "RUNTIME",
        "load is not in this version.",
        "Build the model with sequential and setWeights.",
      );
    },
  };
}

/** The same functions on a module that the caller compiled or imported himself. */
export function createRuntime(module: WebAssembly.Module): Runtime {
  if (!(module instanceof WebAssembly.Module)) {
    throw new SimdgradError("CONFIG", `createRuntime: expected a WebAssembly.Module, received ${show(module)}.`);
  }
  return runtimeOf(() => module);
}
