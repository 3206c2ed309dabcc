// Entry `simdgrad/infer`: loads a saved model and predicts, for small bundles. The kernels arrive inlined, and only those
// that predict.
import { inferWasm } from "./generated/infer.ts";
import { loadPredictorOn } from "./model/predictor.ts";
import { inlinedModule } from "./runtime/module.ts";

export * from "./infer.common.ts";

/** The model that was saved, for predicting. Errors: FORMAT, CONFIG, MEMORY, RUNTIME. */
export const load = /* @__PURE__ */ loadPredictorOn(/* @__PURE__ */ inlinedModule(inferWasm));
