// Products whose weights never change: a network that only predicts has them packed from the start.
import type { Arg, BufferRef, Step } from "../contract.ts";
import { packPanels } from "../runtime/panels.ts";

/** The steps of a network that only predicts, whose products take packed weights. */
export function withPanels(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (step.kernel !== "sgemm_nn") return step;
    const [m, n, k, a, lda, b, _ldb, ...rest] = step.args;
    return { ...step, kernel: "sgemm_packed", args: [m, n, k, a, lda, b, ...rest] };
  });
}

/** Packs the weights that such steps take. Shapes: from and to, the block of all parameters. */
export function packWeights(steps: readonly Step[], from: Float32Array, to: Float32Array): void {
  for (const { kernel, args } of steps) {
    if (kernel !== "sgemm_packed") continue;
    const [, n, k, , , b] = args as [Arg, number, number, Arg, Arg, BufferRef];
    const start = b.within?.offset ?? 0;
    const end = start + k * n;
    packPanels(k, n, from.subarray(start, end), to.subarray(start, end));
  }
}
