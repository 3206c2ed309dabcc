// What all optimizers share.
import type { Scalar } from "../contract.ts";
import { checkNumber, orDefault } from "../options.ts";

export interface CommonOptions {
  learningRate?: number | undefined;
  /** L2 penalty, added to the gradient (adamw: decoupled from it). */
  weightDecay?: number | undefined;
}

export const commonKeys = ["learningRate", "weightDecay"] as const;

export const LEARNING_RATE: Scalar = { name: "learningRate", value: (state) => state.learningRate };

/** Errors: CONFIG. */
export function checkLearningRate(where: string, value: unknown): number {
  return checkNumber(where, "learningRate", value, { low: 0 });
}

export function checkCommon(where: string, options: CommonOptions, learningRate: number, weightDecay: number) {
  return {
    learningRate: checkLearningRate(where, orDefault(options.learningRate, learningRate)),
    weightDecay: checkNumber(where, "weightDecay", orDefault(options.weightDecay, weightDecay), { low: 0 }),
  };
}
