// Node, Deno and Bun, with import.
import * as simdgrad from "simdgrad";
import * as kernels from "simdgrad/kernels";
import * as files from "simdgrad/node";
import { exercise, exerciseFiles } from "../spec.mjs";

await exerciseFiles(simdgrad, files, "esm.safetensors");
console.log(JSON.stringify(await exercise(simdgrad, kernels, { threads: 2 })));
