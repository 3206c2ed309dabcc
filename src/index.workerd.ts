// Entry `simdgrad` for Cloudflare Workers: compiling from bytes is forbidden there, the kernels arrive as modules.

import strict from "./kernels.wasm";
import relaxed from "./kernels-relaxed.wasm";
import { runtimeOf } from "./model/runtime.ts";
import { givenModules } from "./runtime/module.ts";

export * from "./index.common.ts";

export const { sequential, load } = runtimeOf(givenModules(strict, relaxed));
