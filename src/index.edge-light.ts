// Entry `simdgrad` for Vercel and Next edge functions: compiling from bytes is forbidden there, the kernels arrive as modules.

import strict from "./kernels.wasm?module";
import relaxed from "./kernels-relaxed.wasm?module";
import { runtimeOf } from "./model/runtime.ts";
import { givenModules } from "./runtime/module.ts";

export * from "./index.common.ts";

export const { sequential, load } = runtimeOf(givenModules(strict, relaxed));
