// An edge function, in a context that compiles no bytes.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

async function respond() {
  assertGlobalsUntouched();
  if (compilesBytes()) throw new Error("Expected a context that compiles no bytes.");
  return Response.json(await exercise({ simdgrad, infer, kernels }));
}

addEventListener("fetch", (event) => event.respondWith(respond()));
