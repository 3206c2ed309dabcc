// What all optimizers share.
import type { Magnitudes, Scalar } from "../contract.ts";
import { type Complete, checkNumber, orDefault } from "../options.ts";
import { checkLearningRate, type LearningRate } from "../schedules.ts";
import { type ClipOptions, checkClip } from "./clip.ts";

export interface CommonOptions extends ClipOptions {
  /** A number, or a schedule of the steps made. Default 0.001 (adam, adamw, rmsprop), 0.01 (sgd, adagrad). */
  learningRate?: LearningRate | undefined;
  /** L2 penalty, added to the gradient (adamw: decoupled from it). Default 0, adamw 0.01. */
  weightDecay?: number | undefined;
}

/** An optimizer's options once checked: all there, but for the bounds that are not set. */
export type Checked<O extends CommonOptions> = Complete<Omit<O, keyof ClipOptions>> & Readonly<ClipOptions>;

export const commonKeys: readonly string[] = ["learningRate", "weightDecay", "clipValue", "clipNorm"];

export const LEARNING_RATE: Scalar = { name: "learningRate", value: (state) => state.learningRate };

export function checkCommon(where: string, options: CommonOptions, learningRate: number, weightDecay: number) {
  return {
    learningRate: checkLearningRate(where, orDefault(options.learningRate, learningRate)),
    weightDecay: checkNumber(where, "weightDecay", orDefault(options.weightDecay, weightDecay), { low: 0 }),
    ...checkClip(where, options),
  };
}

/** Of g + weightDecay * p; Infinity where its square might be too large. */
export function pullBound(weightDecay: number, gradient: number, { parameter }: Magnitudes): number {
  const pull = gradient + weightDecay * parameter;
  return pull <= 1e15 ? pull : Number.POSITIVE_INFINITY;
}

/** What is divided by a smaller epsilon may be infinite as f32: kernels divide epsilon itself by up to 1e8. */
export const LEAST_EPSILON = 1e-29;

/** What a root plus epsilon is at least, and epsilon as f32 exactly; 0 where that is not sure. Kernels test epsilon for
 *  infinity together with a parameter. */
export function divisorBound(epsilon: number): number {
  return epsilon >= LEAST_EPSILON && epsilon <= 1e29 ? Math.min(epsilon, 1) : 0;
}

interface Adaptive {
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly momentum?: number;
  readonly take?: number;
}

/** Of the optimizers that divide by the root of v <- keep * v + take * g^2 + epsilon with v >= 0. Where take * g^2 is
 *  no denormal, the quotient is at most 1 / sqrt(take), up to rounding; else g is below 1.1e-19 / sqrt(take), and the
 *  root at least epsilon. */
export function quotientBound(
  { epsilon, weightDecay, momentum = 0, take = 1 }: Adaptive,
  rate: number,
  gradient: number,
  most: Magnitudes,
): Magnitudes {
  const fits = pullBound(weightDecay, gradient, most) < Number.POSITIVE_INFINITY;
  const quotient = fits ? Math.max(1.1, 1.1e-19 / divisorBound(epsilon)) / Math.sqrt(take) : Number.POSITIVE_INFINITY;
  const moment = momentum * most.moment + quotient;
  return { moment, parameter: most.parameter + rate * moment };
}
