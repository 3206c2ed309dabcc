// What layer and batch normalization share: scale gamma and shift beta, and how their gradients are summed.
import type { BufferRef, Builder, ParameterShape } from "../contract.ts";
import { checkBoolean, checkNumber, orDefault } from "../options.ts";

/** Options of `layerNorm`, and of `batchNorm` among others. */
export interface NormOptions {
  /** Added to the variance. Default 1e-5. */
  epsilon?: number | undefined;
  /** false freezes gamma and beta. Default true. */
  trainable?: boolean | undefined;
}

/** Errors: CONFIG. */
export function checkNorm(where: string, options: NormOptions) {
  const { epsilon, trainable } = options;
  // Half of f32's least number and below are 0 as f32: a feature that never changes would be divided by 0.
  const bounds = { low: 2 ** -150, openLow: true, single: true, range: " > 0 that f32 does not round to 0" };
  return {
    epsilon: checkNumber(where, "epsilon", orDefault(epsilon, 1e-5), bounds),
    trainable: checkBoolean(where, "trainable", orDefault(trainable, true)),
  };
}

export function normParameters({ trainable = true }: NormOptions, inputs: number): readonly ParameterShape[] {
  const shape = [inputs];
  return [
    { name: "gamma", shape, init: "ones", trainable },
    { name: "beta", shape, init: "zeros", trainable },
  ];
}

/** What the way back needs: the normalized input h, and the reciprocal deviations r. */
export interface Normalized {
  readonly h: BufferRef;
  readonly r: BufferRef;
}

/** Sums the parameters' gradients and, where `dx` is given, computes it too, column by column. */
export function emitColumnsBackward(
  b: Builder,
  { h, r }: Normalized,
  [gamma, beta]: readonly BufferRef[],
  dy: BufferRef,
  dx: BufferRef | undefined,
): void {
  const [dGamma, dBeta] = [b.gradient(gamma), b.gradient(beta)];
  const writes = dx ?? dGamma;
  if (!writes) return;
  const sums = [dGamma ?? 0, dBeta ?? 0, b.accumulate ? 1 : 0] as const;
  const from = [b.rows, dy.columns, h, h.stride, dy, dy.stride, gamma, r] as const;
  b.call(writes, "batch_norm_backward", ...from, ...sums, dx ?? 0, dx?.stride ?? 0, b.training ? 1 : 0);
}
