// The builds that this package carries with it.
import { strictWasm } from "../generated/strict.ts";
import { type ModuleSource, moduleFromHex } from "./module.ts";

export const strictModule: ModuleSource = moduleFromHex(strictWasm);
