// All layer kinds. A new one is one file and one line in each table here.
import type { LayerRule } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { type ActivationSpec, activationRule } from "./activation.ts";
import { type DenseSpec, denseRule } from "./dense.ts";

export type LayerSpec = DenseSpec | ActivationSpec;

const rules: { readonly [K in LayerSpec["kind"]]: LayerRule<Extract<LayerSpec, { kind: K }>> } = {
  dense: denseRule,
  activation: activationRule,
};

/** The rule of a spec's kind. Errors: CONFIG for what is no layer. */
export function layerRule(spec: LayerSpec): LayerRule<LayerSpec> {
  const kind: unknown = (spec as Partial<LayerSpec> | null | undefined)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(rules, kind)) {
    throw new SimdgradError(
      "CONFIG",
      `layers: expected a layer, received ${show(spec)}.`,
      `Make one with ${Object.keys(rules).join("(...) or ")}(...).`,
    );
  }
  return rules[kind as LayerSpec["kind"]] as LayerRule<LayerSpec>;
}
