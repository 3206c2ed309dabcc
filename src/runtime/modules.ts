// The builds that this package carries with it.
import { strictWasm } from "../generated/strict.ts";
import { type ModuleSource, moduleFromBase64 } from "./module.ts";

export const strictModule: ModuleSource = moduleFromBase64(strictWasm);
