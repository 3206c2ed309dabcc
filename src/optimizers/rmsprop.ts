// RMSProp.
import type { OptimizerRule } from "../contract.ts";
import { checkKeys, checkNumber, checkOptions, orDefault } from "../options.ts";
import { type Checked, type CommonOptions, checkCommon, commonKeys, LEARNING_RATE, quotientBound } from "./common.ts";

const KEYS = /* @__PURE__ */ commonKeys.concat("alpha", "epsilon", "momentum");

/** Options of `rmsprop`. */
export interface RmspropOptions extends CommonOptions {
  /** Decay of the mean of squares. Default 0.99. */
  alpha?: number | undefined;
  /** Default 1e-8. */
  epsilon?: number | undefined;
  /** Default 0. */
  momentum?: number | undefined;
}

/** RMSProp as data. */
export interface RmspropSpec extends Checked<RmspropOptions> {
  readonly kind: "rmsprop";
}

/** v <- a v + (1 - a) g^2, p <- p - lr * g / (sqrt(v) + eps), or through a momentum buffer.
 *  Source: Tieleman & Hinton 2012, as torch.optim.RMSprop (not centered). Errors: CONFIG. */
export function rmsprop(options: RmspropOptions = {}): RmspropSpec {
  return rmspropRule.normalize({ ...checkOptions("rmsprop", options, KEYS), kind: "rmsprop" } as RmspropSpec);
}

export const rmspropRule: OptimizerRule<RmspropSpec> = {
  normalize(spec) {
    checkKeys("rmsprop", spec, ["kind", ...KEYS]);
    return Object.freeze({
      kind: "rmsprop",
      ...checkCommon("rmsprop", spec, 1e-3, 0),
      alpha: checkNumber("rmsprop", "alpha", orDefault(spec.alpha, 0.99), { low: 0, high: 1 }),
      epsilon: checkNumber("rmsprop", "epsilon", orDefault(spec.epsilon, 1e-8), { low: 0 }),
      momentum: checkNumber("rmsprop", "momentum", orDefault(spec.momentum, 0), { low: 0 }),
    });
  },
  moments: ({ momentum }) => (momentum > 0 ? ["v", "momentum"] : ["v"]),
  bound({ alpha, ...spec }, rate, gradient, most) {
    return quotientBound({ ...spec, take: 1 - alpha }, rate, gradient, most);
  },
  emit({ alpha, epsilon, momentum, weightDecay }, b, { n, parameters: p, gradients: g, moments: [v, buffer = 0] }) {
    b.call(p, "rmsprop_step", n, p, g, v, buffer, LEARNING_RATE, alpha, epsilon, momentum, weightDecay);
  },
};
