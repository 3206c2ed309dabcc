// Entry `simdgrad`: the kernels arrive inlined.
import { loadOn, sequentialOn } from "./model/runtime.ts";
import { threading } from "./model/threading.ts";
import { builtinModules } from "./runtime/modules.ts";

export * from "./index.common.ts";

const parts = { modules: builtinModules, threading };

export const sequential = /* @__PURE__ */ sequentialOn(parts);
export const load = /* @__PURE__ */ loadOn(parts);
