// An edge function, in a context that compiles no bytes.
import * as simdgrad from "simdgrad";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

async function respond() {
  if (compilesBytes()) throw new Error("Expected a context that compiles no bytes.");
  return Response.json(await exercise(simdgrad, kernels));
}

addEventListener("fetch", (event) => event.respondWith(respond()));
