// Node, Deno and Bun, with import.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import * as files from "simdgrad/node";
import { exercise, exerciseFiles } from "../spec.mjs";

assertGlobalsUntouched();
await exerciseFiles(simdgrad, files, "esm.safetensors");
console.log(JSON.stringify(await exercise({ simdgrad, infer, kernels }, { threads: 2 })));
