// Stochastic gradient descent, plain, with momentum, or with Nesterov's momentum.
import type { OptimizerRule } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { checkBoolean, checkKeys, checkNumber, checkOptions, orDefault } from "../options.ts";
import { type Checked, type CommonOptions, checkCommon, commonKeys, LEARNING_RATE, pullBound } from "./common.ts";

const KEYS = /* @__PURE__ */ commonKeys.concat("momentum", "nesterov");

/** Options of `sgd`. */
export interface SgdOptions extends CommonOptions {
  /** Default 0. */
  momentum?: number | undefined;
  /** Needs a momentum. Default false. */
  nesterov?: boolean | undefined;
}

/** SGD as data. */
export interface SgdSpec extends Checked<SgdOptions> {
  readonly kind: "sgd";
}

/** p <- p - lr * g; with momentum u: v <- u v + g, p <- p - lr * v (nesterov: lr * (g + u v)).
 *  Source: Sutskever et al. 2013, as torch.optim.SGD (dampening 0). Errors: CONFIG. */
export function sgd(options: SgdOptions = {}): SgdSpec {
  return sgdRule.normalize({ ...checkOptions("sgd", options, KEYS), kind: "sgd" } as SgdSpec);
}

export const sgdRule: OptimizerRule<SgdSpec> = {
  normalize(spec) {
    checkKeys("sgd", spec, ["kind", ...KEYS]);
    const momentum = checkNumber("sgd", "momentum", orDefault(spec.momentum, 0), { low: 0 });
    const nesterov = checkBoolean("sgd", "nesterov", orDefault(spec.nesterov, false));
    if (nesterov && momentum === 0) {
      throw new SimdgradError(
        "CONFIG",
        "sgd: expected a momentum above 0 with nesterov, received 0.",
        "Pass e.g. momentum: 0.9.",
      );
    }
    return Object.freeze({ kind: "sgd", ...checkCommon("sgd", spec, 1e-2, 0), momentum, nesterov });
  },
  moments: ({ momentum }) => (momentum > 0 ? ["momentum"] : []),
  bound({ momentum, weightDecay }, rate, gradient, most) {
    const pull = pullBound(weightDecay, gradient, most);
    const moment = Math.max(momentum, 1) * (momentum * most.moment + pull);
    return { moment, parameter: most.parameter + rate * (pull + moment) };
  },
  emit({ momentum, nesterov, weightDecay }, b, { n, parameters: p, gradients: g, moments }) {
    if (momentum > 0) {
      b.call(p, "sgd_momentum_step", n, p, g, moments[0], LEARNING_RATE, momentum, nesterov ? 1 : 0, weightDecay);
    } else {
      b.call(p, "sgd_step", n, p, g, LEARNING_RATE, weightDecay);
    }
  },
};
