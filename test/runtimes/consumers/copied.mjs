// A page for bundlers that leave URLs alone: the lane's file is copied beside the bundle.
import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { exercise } from "../spec.mjs";

const worker = () => new Worker(new URL("./lane.js", import.meta.url));
globalThis.result = exercise({ simdgrad, infer, kernels }, { threads: 2, worker });
