// Adam, and AdamW, which differs in where the weight decay goes.
import type { OptimizerRule, Scalar } from "../contract.ts";
import { powInteger } from "../numerics.ts";
import { checkKeys, checkNumber, checkOptions, orDefault } from "../options.ts";
import {
  type Checked,
  type CommonOptions,
  checkCommon,
  commonKeys,
  divisorBound,
  LEARNING_RATE,
  pullBound,
} from "./common.ts";

const KEYS = /* @__PURE__ */ commonKeys.concat("beta1", "beta2", "epsilon");

/** Options of `adam` and `adamw`. */
export interface AdamOptions extends CommonOptions {
  /** Decay of the mean of gradients. Default 0.9. */
  beta1?: number | undefined;
  /** Decay of the mean of their squares. Default 0.999. */
  beta2?: number | undefined;
  /** Default 1e-8. */
  epsilon?: number | undefined;
}

/** Adam as data. */
export interface AdamSpec extends Checked<AdamOptions> {
  readonly kind: "adam";
}

/** AdamW as data. */
export interface AdamwSpec extends Checked<AdamOptions> {
  readonly kind: "adamw";
}

/** m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, p <- p - lr * mHat / (sqrt(vHat) + eps).
 *  Source: Kingma & Ba 2015, Alg. 1, as torch.optim.Adam. Errors: CONFIG. */
export function adam(options: AdamOptions = {}): AdamSpec {
  return adamRule.normalize({ ...checkOptions("adam", options, KEYS), kind: "adam" } as AdamSpec);
}

/** Adam with decoupled weight decay (default 0.01): p <- p - lr * wd * p first.
 *  Source: Loshchilov & Hutter 2019, Alg. 2, decay scaled by lr as torch.optim.AdamW. Errors: CONFIG. */
export function adamw(options: AdamOptions = {}): AdamwSpec {
  return adamwRule.normalize({ ...checkOptions("adamw", options, KEYS), kind: "adamw" } as AdamwSpec);
}

function rule<S extends AdamSpec | AdamwSpec>(kind: S["kind"], weightDecay: number): OptimizerRule<S> {
  const kernel: "adam_step" | "adamw_step" = `${kind}_step`;
  return {
    normalize(spec) {
      checkKeys(kind, spec, ["kind", ...KEYS]);
      return Object.freeze({
        kind,
        ...checkCommon(kind, spec, 1e-3, weightDecay),
        beta1: checkNumber(kind, "beta1", orDefault(spec.beta1, 0.9), { low: 0, high: 1, openHigh: true }),
        beta2: checkNumber(kind, "beta2", orDefault(spec.beta2, 0.999), { low: 0, high: 1, openHigh: true }),
        epsilon: checkNumber(kind, "epsilon", orDefault(spec.epsilon, 1e-8), { low: 0 }),
      }) as S;
    },
    moments: () => ["m", "v"],
    bound({ beta1, epsilon, weightDecay }, rate, gradient, most) {
      const decoupled = kind === "adamw";
      const moment = most.moment + pullBound(decoupled ? 0 : weightDecay, gradient, most);
      const kept = decoupled ? Math.max(1, rate * weightDecay - 1) : 1;
      // The bias correction of m is at most 1 / (1 - beta1); that of v cancels.
      const step = (rate * moment) / (1 - beta1) / divisorBound(epsilon);
      return { moment, parameter: kept * most.parameter + step };
    },
    emit(spec, b, { n, parameters: p, gradients: g, moments: [m, v] }) {
      const { beta1, beta2, epsilon, weightDecay } = spec;
      const c1 = biasCorrection("c1", beta1);
      const c2 = biasCorrection("c2", beta2);
      b.call(p, kernel, n, p, g, m, v, LEARNING_RATE, beta1, beta2, epsilon, c1, c2, weightDecay);
    },
  };
}

export const adamRule = /* @__PURE__ */ rule<AdamSpec>("adam", 0);
export const adamwRule = /* @__PURE__ */ rule<AdamwSpec>("adamw", 0.01);

/** 1 / (1 - beta^t), t from 1, from the step count alone, so that a resumed run has the same bits. */
function biasCorrection(name: string, beta: number): Scalar {
  return { name, value: ({ step }) => 1 / (1 - powInteger(beta, step + 1)) };
}
