// The weights of a model that only predicts, put where its products read them.
import { packedOf } from "../plan/panels.ts";
import type { InferKernels } from "../runtime/abi.ts";
import { KC } from "../runtime/scratch.ts";
import type { Engine } from "./engine.ts";

/** By way of the space that no call uses yet: a product has room there for a row of what it reads and one of what it
 *  writes. A kernel moves them, as a program that starts interprets its JavaScript. */
export function packWeights(engine: Engine, weights: Float32Array): void {
  const { regions, end } = engine.placement;
  const from = regions.activationGradients.address;
  const kernels = engine.kernels as unknown as InferKernels;
  for (const { b, n, k } of packedOf(engine.plan.infer.steps)) {
    const most = Math.floor((end - from) / (4 * n));
    for (let block = 0; block < k; block += KC) {
      const kc = Math.min(KC, k - block);
      for (let first = 0; first < kc; first += most) {
        const rows = Math.min(most, kc - first);
        const start = (b.within?.offset as number) + (block + first) * n;
        engine.f32.set(weights.subarray(start, start + rows * n), from / 4);
        kernels.pack_panels(rows, n, from, first, kc, engine.address(b) + 4 * block * n);
      }
    }
  }
}
