// Entry `simdgrad` for Vercel and Next edge functions: compiling from bytes is forbidden there, the kernels arrive as modules.
// Only the strict ones: an engine without relaxed SIMD would refuse the whole function for the others.

import strict from "./kernels.wasm?module";
import { loadOn, sequentialOn } from "./model/runtime.ts";
import { givenModules } from "./runtime/module.ts";

export * from "./index.common.ts";

const parts = { modules: /* @__PURE__ */ givenModules(strict) };

/** Builds a model and initializes its parameters. Errors: CONFIG, MEMORY, RUNTIME. */
export const sequential = /* @__PURE__ */ sequentialOn(parts);
/** The model that was saved, with its state. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export const load = /* @__PURE__ */ loadOn(parts);
