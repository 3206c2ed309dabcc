// A Worker of workerd, which compiles no bytes.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

export default {
  async fetch() {
    try {
      assertGlobalsUntouched();
      if (compilesBytes()) throw new Error("Expected a runtime that compiles no bytes.");
      return Response.json(await exercise({ simdgrad, infer, kernels }));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
