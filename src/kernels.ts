// Entry `simdgrad/kernels`: the raw kernels on a linear memory with an arena, for those who write their own loops.
import { builtinModules } from "./runtime/modules.ts";
import { spacesOn } from "./runtime/space.ts";

export * from "./kernels.common.ts";

/** The kernels on a memory of their own. Errors: CONFIG, MEMORY, RUNTIME. */
export const createKernels = /* @__PURE__ */ spacesOn(builtinModules);
