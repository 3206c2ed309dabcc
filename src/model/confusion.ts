// The confusion matrix of a classifier.
import { SimdgradError, show } from "../errors.ts";
import { lossRule } from "../losses/index.ts";
import { table } from "../plan/print.ts";
import { type Dataset, readDataset } from "./data.ts";
import type { Model } from "./model.ts";
import { classCount, classOf } from "./targets.ts";

/** Which classes a model took for which. */
export interface ConfusionMatrix {
  /** counts[i][j]: rows of class i that the model takes for class j; weighted by sampleWeight where there is any. */
  readonly counts: readonly (readonly number[])[];
  /** A table. */
  toString(): string;
}

/** Which classes a model takes for which; a single sigmoid has the classes 0 and 1.
 *  Errors: CONFIG for a model that tells no classes apart; SHAPE, DATA. */
export function confusionMatrix(model: Model, data: Dataset): ConfusionMatrix {
  if (typeof model?.predictClasses !== "function") {
    throw new SimdgradError("CONFIG", `confusionMatrix: expected a model, received ${show(model)}.`);
  }
  const { loss, input } = model.spec;
  const kind = loss ? lossRule(loss).targets : "values";
  const outputs = model.predict(new Float32Array(input)).length;
  const shape = { inputs: input, kind, outputs };
  const classes = classCount(shape);
  if (classes === 0) {
    throw new SimdgradError(
      "CONFIG",
      "confusionMatrix: expected a model with the loss cross-entropy, or binary-cross-entropy on one output, received another.",
    );
  }
  const { targets, sampleWeights, rows } = readDataset("confusionMatrix", data, shape);
  const answers = model.predictClasses(data.x);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < rows; row++) counts[classOf(targets, row)][answers[row]] += sampleWeights?.[row] ?? 1;
  const heading = ["class", ...counts.map((_, j) => `as ${j}`)];
  return { counts, toString: () => table([heading, ...counts.map((row, i) => [String(i), ...row.map(String)])]) };
}
