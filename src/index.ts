// Entry `simdgrad`: the kernels arrive inlined.
import { loadOn, sequentialOn } from "./model/runtime.ts";
import { threading } from "./model/threading.ts";
import { builtinModules } from "./runtime/modules.ts";

export * from "./index.common.ts";

const parts = { modules: builtinModules, threading };

/** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
export const sequential = /* @__PURE__ */ sequentialOn(parts);
/** The model that was saved, with its state. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export const load = /* @__PURE__ */ loadOn(parts);
