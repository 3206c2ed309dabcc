// What a model is made of, and what of it a call needs.
import { SimdgradError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { Inference } from "./inference.ts";
import { Trainer } from "./trainer.ts";
import { TwoWay } from "./two-way.ts";

/** All that a dispose has to let go of. */
export interface Bound {
  readonly engine: Engine;
  readonly inference: Inference;
  readonly trainer: Trainer;
  /** Absent in a model that only predicts. */
  readonly twoWay: TwoWay | undefined;
}

export function bindModel(engine: Engine): Bound {
  const { twoWay } = engine.plan;
  return {
    engine,
    inference: new Inference(engine),
    trainer: new Trainer(engine),
    twoWay: twoWay && new TwoWay(engine, twoWay),
  };
}

/** Errors: CONFIG. */
export function needsTraining(where: string, { twoWay }: Bound): TwoWay {
  if (twoWay) return twoWay;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected a model that trains, received one that was loaded with inference.`,
    "Load it without `inference`.",
  );
}

/** Errors: CONFIG. */
export function needsPart(where: string, { engine }: Bound, part: "loss" | "optimizer"): void {
  if (engine.plan.spec[part]) return;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected a model with ${part === "loss" ? "a" : "an"} ${part}, received one without.`,
    `Pass \`${part}\` to sequential.`,
  );
}
