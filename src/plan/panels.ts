// Products whose weights never change: a network that only predicts has them packed from the start.
import type { Arg, BufferRef, Step } from "../contract.ts";

/** The steps of a network that only predicts, whose products take packed weights. */
export function withPanels(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (step.kernel !== "sgemm_nn") return step;
    const [m, n, k, a, lda, b, _ldb, ...rest] = step.args;
    return { ...step, kernel: "sgemm_packed", args: [m, n, k, a, lda, b, ...rest] };
  });
}

/** Weights that such steps take: B f32[k,n]. */
export function packedOf(steps: readonly Step[]): { b: BufferRef; n: number; k: number }[] {
  return steps.flatMap(({ kernel, args }) => {
    if (kernel !== "sgemm_packed") return [];
    const [, n, k, , , b] = args as [Arg, number, number, Arg, Arg, BufferRef];
    return [{ b, n, k }];
  });
}
