// What all optimizers share.
import type { Scalar } from "../contract.ts";
import { checkNumber, orDefault } from "../options.ts";
import { checkLearningRate, type LearningRate } from "../schedules.ts";
import { type ClipOptions, checkClip } from "./clip.ts";

export interface CommonOptions extends ClipOptions {
  /** A number, or a schedule of the steps made. */
  learningRate?: LearningRate | undefined;
  /** L2 penalty, added to the gradient (adamw: decoupled from it). */
  weightDecay?: number | undefined;
}

/** An optimizer's options once checked: all there, but for the bounds that are not set. */
export type Checked<O extends CommonOptions> = Readonly<Required<Omit<O, keyof ClipOptions>> & ClipOptions>;

export const commonKeys: readonly string[] = ["learningRate", "weightDecay", "clipValue", "clipNorm"];

export const LEARNING_RATE: Scalar = { name: "learningRate", value: (state) => state.learningRate };

export function checkCommon(where: string, options: CommonOptions, learningRate: number, weightDecay: number) {
  return {
    learningRate: checkLearningRate(where, orDefault(options.learningRate, learningRate)),
    weightDecay: checkNumber(where, "weightDecay", orDefault(options.weightDecay, weightDecay), { low: 0 }),
    ...checkClip(where, options),
  };
}
