// An edge function, in a context that compiles no bytes.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

/** An engine without relaxed SIMD would refuse a function that brings it. */
function relaxedIsNotThere() {
  const config = { input: 2, layers: [simdgrad.dense(2)] };
  simdgrad.sequential({ ...config, simd: "auto" });
  try {
    simdgrad.sequential({ ...config, simd: "relaxed" });
  } catch (error) {
    if (error.code === "RUNTIME" && error.hint.includes("createRuntime")) return;
  }
  throw new Error("Expected relaxed to be RUNTIME with a hint.");
}

async function respond() {
  assertGlobalsUntouched();
  // As in Next's edge functions.
  globalThis.setImmediate = globalThis.MessageChannel = function refuse() {
    throw new Error("not supported in the Edge Runtime");
  };
  if (compilesBytes()) throw new Error("Expected a context that compiles no bytes.");
  relaxedIsNotThere();
  return Response.json(await exercise({ simdgrad, infer, kernels }));
}

addEventListener("fetch", (event) => event.respondWith(respond()));
