// Entry `simdgrad`: the kernels arrive inlined.
import { runtimeOf } from "./model/runtime.ts";
import { builtinModules } from "./runtime/modules.ts";

export * from "./index.common.ts";

export const { sequential, load } = runtimeOf(builtinModules);
