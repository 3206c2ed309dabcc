// Entry `simdgrad/infer` for Cloudflare Workers: compiling from bytes is forbidden there, the kernels arrive as a module.

import module from "./infer.wasm";
import { loadPredictorOn } from "./model/predictor.ts";

export * from "./infer.common.ts";

/** The model that was saved, for predicting. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export const load = /* @__PURE__ */ loadPredictorOn(() => module);
