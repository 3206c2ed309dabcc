// The activation layer: an activation function that stands alone.
import type { LayerRule } from "../contract.ts";
import { checkKeys } from "../options.ts";
import { type Activation, emitActivation, normalizeActivation } from "./activations.ts";

/** An activation layer as data. */
export interface ActivationSpec {
  readonly kind: "activation";
  readonly activation: Activation;
}

/** y = f(x), elementwise (softmax: by rows). Shapes: x, y [rows, units]. Errors: CONFIG. */
export function activation(name: Activation): ActivationSpec {
  return activationRule.normalize({ kind: "activation", activation: name });
}

export const activationRule: LayerRule<ActivationSpec> = {
  normalize(spec) {
    checkKeys("activation", spec, ["kind", "activation"]);
    return Object.freeze({ kind: "activation", activation: normalizeActivation("activation", spec.activation) });
  },
  units: (_, inputs) => inputs,
  parameters: () => [],
  emit: (spec, b, x) => emitActivation(spec.activation, b, x),
};
