// Adagrad.
import type { OptimizerRule } from "../contract.ts";
import { checkKeys, checkNumber, checkOptions, orDefault } from "../options.ts";
import { type Checked, type CommonOptions, checkCommon, commonKeys, LEARNING_RATE, quotientBound } from "./common.ts";

const KEYS = /* @__PURE__ */ commonKeys.concat("epsilon");

/** Options of `adagrad`. */
export interface AdagradOptions extends CommonOptions {
  /** Default 1e-10. */
  epsilon?: number | undefined;
}

/** Adagrad as data. */
export interface AdagradSpec extends Checked<AdagradOptions> {
  readonly kind: "adagrad";
}

/** s <- s + g^2, p <- p - lr * g / (sqrt(s) + eps).
 *  Source: Duchi et al. 2011, as torch.optim.Adagrad (lr_decay 0). Errors: CONFIG. */
export function adagrad(options: AdagradOptions = {}): AdagradSpec {
  return adagradRule.normalize({ ...checkOptions("adagrad", options, KEYS), kind: "adagrad" } as AdagradSpec);
}

export const adagradRule: OptimizerRule<AdagradSpec> = {
  normalize(spec) {
    checkKeys("adagrad", spec, ["kind", ...KEYS]);
    return Object.freeze({
      kind: "adagrad",
      ...checkCommon("adagrad", spec, 1e-2, 0),
      epsilon: checkNumber("adagrad", "epsilon", orDefault(spec.epsilon, 1e-10), { low: 0 }),
    });
  },
  moments: () => ["sum"],
  bound: quotientBound,
  emit({ epsilon, weightDecay }, b, { n, parameters: p, gradients: g, moments: [sum] }) {
    b.call(p, "adagrad_step", n, p, g, sum, LEARNING_RATE, epsilon, weightDecay);
  },
};
