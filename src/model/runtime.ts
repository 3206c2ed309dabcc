// What an entry gives: the model functions on the kernels that it brings.
import { SimdgradError, show } from "../errors.ts";
import { givenModules, type ModuleSource } from "../runtime/module.ts";
import { createModel, type LoadOptions, loadModel, type Model, type SequentialConfig } from "./model.ts";

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

/** The same functions on a module that the caller compiled or imported himself, whichever build it is; one thread. */
export function createRuntime(module: WebAssembly.Module): Runtime {
  if (!(module instanceof WebAssembly.Module)) {
    throw new SimdgradError("CONFIG", `createRuntime: expected a WebAssembly.Module, received ${show(module)}.`);
  }
  return runtimeOf(givenModules(module, module));
}
