// A Worker of workerd, which compiles no bytes.
import { assertGlobalsUntouched } from "../globals.mjs";

// After what notes the globals.

import * as simdgrad from "simdgrad";
import * as infer from "simdgrad/infer";
import * as kernels from "simdgrad/kernels";
import { compilesBytes, exercise } from "../spec.mjs";

/** A Worker has 128 MB for everything; what a model takes of it is known before. */
async function trainsWithinMemory({ adam, dense, planMemory, sequential }) {
  const layers = [dense(512, { activation: "relu" }), dense(256, { activation: "relu" })];
  const config = {
    input: 784,
    layers: [...layers, dense(10, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
  };
  const planned = planMemory(config).total;
  if (planned > 32e6) throw new Error(`Expected 32 MB to be enough, planMemory tells ${planned}.`);
  const model = sequential(config);
  await model.fit({ x: new Float32Array(64 * 784).fill(0.5), y: new Int32Array(64) }, { epochs: 2 });
  const { total } = model.memory;
  const { byteLength } = model.weights.buffer;
  if (total !== planned || byteLength - total >= 65536 || byteLength < total) {
    throw new Error(`Expected the ${planned} bytes that planMemory told, found ${total} in a memory of ${byteLength}.`);
  }
}

export default {
  async fetch() {
    try {
      assertGlobalsUntouched();
      if (compilesBytes()) throw new Error("Expected a runtime that compiles no bytes.");
      await trainsWithinMemory(simdgrad);
      return Response.json(await exercise({ simdgrad, infer, kernels }));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
