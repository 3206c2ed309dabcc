// Entry `simdgrad/kernels` for Vercel and Next edge functions: the kernels arrive as modules.

import strict from "./kernels.wasm?module";
import { givenModules } from "./runtime/module.ts";
import { spacesOn } from "./runtime/space.ts";

export * from "./kernels.common.ts";

/** The kernels on a memory of their own. Errors: CONFIG, MEMORY, RUNTIME. */
export const createKernels = /* @__PURE__ */ spacesOn(givenModules(strict));
