// A page for bundlers that make a worker of `new URL(PACKAGE, import.meta.url)`.
import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { exercise } from "../spec.mjs";

const worker = () => new Worker(new URL("simdgrad/lane", import.meta.url));
globalThis.result = exercise({ simdgrad, infer, kernels }, { threads: 2, worker });
