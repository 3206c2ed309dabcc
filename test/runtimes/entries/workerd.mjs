// A Worker of workerd, which compiles no bytes.
import * as simdgrad from "simdgrad";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

export default {
  async fetch() {
    try {
      if (compilesBytes()) throw new Error("Expected a runtime that compiles no bytes.");
      return Response.json(await exercise(simdgrad, kernels));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
