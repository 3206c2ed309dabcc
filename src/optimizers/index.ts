// All optimizers. A new one is one file and one line in each table here.
import type { OptimizerRule } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { type AdagradSpec, adagradRule } from "./adagrad.ts";
import { type AdamSpec, type AdamwSpec, adamRule, adamwRule } from "./adam.ts";
import { type RmspropSpec, rmspropRule } from "./rmsprop.ts";
import { type SgdSpec, sgdRule } from "./sgd.ts";

/** Any optimizer as data. */
export type OptimizerSpec = SgdSpec | RmspropSpec | AdagradSpec | AdamSpec | AdamwSpec;

const rules: { readonly [K in OptimizerSpec["kind"]]: OptimizerRule<Extract<OptimizerSpec, { kind: K }>> } = {
  sgd: sgdRule,
  rmsprop: rmspropRule,
  adagrad: adagradRule,
  adam: adamRule,
  adamw: adamwRule,
};

export function optimizerRule(spec: OptimizerSpec): OptimizerRule<OptimizerSpec> {
  return rules[spec.kind] as OptimizerRule<OptimizerSpec>;
}

/** Errors: CONFIG. */
export function normalizeOptimizer(spec: OptimizerSpec): OptimizerSpec {
  const kind: unknown = (spec as Partial<OptimizerSpec> | null)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(rules, kind)) {
    throw new SimdgradError(
      "CONFIG",
      `optimizer: expected an optimizer, received ${show(spec)}.`,
      `Make one with ${Object.keys(rules).join("(), ")}().`,
    );
  }
  return optimizerRule(spec).normalize(spec);
}
