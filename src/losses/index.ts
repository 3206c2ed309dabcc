// All losses. A new one is one file and one line in each table here.
import type { LossRule } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { type BinaryCrossEntropySpec, binaryCrossEntropyRule } from "./binary-cross-entropy.ts";
import { type CrossEntropySpec, crossEntropyRule } from "./cross-entropy.ts";
import {
  type HuberSpec,
  huberRule,
  type MeanAbsoluteErrorSpec,
  type MeanSquaredErrorSpec,
  meanAbsoluteErrorRule,
  meanSquaredErrorRule,
} from "./regression.ts";

/** Any loss as data. */
export type LossSpec =
  | CrossEntropySpec
  | BinaryCrossEntropySpec
  | MeanSquaredErrorSpec
  | MeanAbsoluteErrorSpec
  | HuberSpec;

/** A loss by name, or as data with its parameters. */
export type Loss = LossSpec["kind"] | LossSpec;

const rules: { readonly [K in LossSpec["kind"]]: LossRule<Extract<LossSpec, { kind: K }>> } = {
  "cross-entropy": crossEntropyRule,
  "binary-cross-entropy": binaryCrossEntropyRule,
  "mean-squared-error": meanSquaredErrorRule,
  "mean-absolute-error": meanAbsoluteErrorRule,
  huber: huberRule,
};

export function lossRule(spec: LossSpec): LossRule<LossSpec> {
  return rules[spec.kind] as LossRule<LossSpec>;
}

/** Errors: CONFIG. */
export function normalizeLoss(loss: Loss): LossSpec {
  const spec = typeof loss === "string" ? ({ kind: loss } as LossSpec) : loss;
  const kind: unknown = (spec as Partial<LossSpec> | null)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(rules, kind)) {
    throw new SimdgradError(
      "CONFIG",
      `loss: expected a loss, received ${show(loss)}.`,
      `Known: ${Object.keys(rules).join(", ")}.`,
    );
  }
  return lossRule(spec).normalize(spec);
}
