// The builds that this package carries with it.
import { relaxedDelta } from "../generated/relaxed.ts";
import { strictWasm } from "../generated/strict.ts";
import { inlinedModules } from "./module.ts";

export const builtinModules = /* @__PURE__ */ inlinedModules(strictWasm, relaxedDelta);
