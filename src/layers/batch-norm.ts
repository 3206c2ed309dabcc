// The batch normalization: each column to mean 0 and variance 1 over the batch, then scaled and shifted; in inference by
// statistics that training kept.
import type { LayerRule } from "../contract.ts";
import { checkKeys, checkNumber, orDefault } from "../options.ts";
import { checkNorm, emitColumnsBackward, type NormOptions, normParameters } from "./normalization.ts";
import { sealOwnLayer } from "./rule.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions extends NormOptions {
  /** The share of each training batch in the running statistics, as PyTorch has it. Default 0.1. */
  momentum?: number | undefined;
}

/** A batch normalization as data. */
export interface BatchNormSpec {
  readonly kind: "batch-norm";
  readonly momentum: number;
  readonly epsilon: number;
  readonly trainable: boolean;
}

/** y = (x - mean) / sqrt(variance + epsilon) * gamma + beta: in training by mean and variance of each column of the
 *  batch, which the running ones follow, running <- (1 - momentum) running + momentum batch (the variance over
 *  rows - 1); in inference by the running ones. `trainable: false` leaves them running, as in PyTorch.
 *  Shapes: x, y [rows, units], in training 2 rows at least; gamma, beta, runningMean, runningVariance [units].
 *  Errors: CONFIG. Source: Ioffe & Szegedy 2015, as torch.nn.BatchNorm1d. */
export function batchNorm(options: BatchNormOptions = {}): BatchNormSpec {
  checkKeys("batchNorm", options, ["momentum", "epsilon", "trainable"]);
  return batchNormRule.normalize({ ...options, kind: "batch-norm" } as BatchNormSpec);
}

export const batchNormRule: LayerRule<BatchNormSpec> = {
  modal: true,
  passes: true,
  minRows: 2,
  normalize(spec) {
    checkKeys("batchNorm", spec, ["kind", "momentum", "epsilon", "trainable"]);
    const momentum = checkNumber("batchNorm", "momentum", orDefault(spec.momentum, 0.1), { low: 0, high: 1 });
    return sealOwnLayer({ kind: "batch-norm", momentum, ...checkNorm("batchNorm", spec) }, batchNormRule);
  },
  units: (_, inputs) => inputs,
  parameters: normParameters,
  buffers: (_, inputs) => [
    { name: "runningMean", length: inputs, initial: 0 },
    { name: "runningVariance", length: inputs, initial: 1, low: 0 },
  ],
  emit({ momentum, epsilon }, b, x, parameters, { buffers }) {
    const [gamma, beta] = parameters;
    const n = x.columns;
    const statistics = b.training ? buffers.map(() => b.vector(n)) : buffers;
    const [mean, variance] = statistics;
    const r = b.vector(n);
    const h = b.inPlace(x);
    b.keep(h);
    const y = b.inPlace(h);
    const from = [x, x.stride, gamma, beta, epsilon, mean, variance, r] as const;
    b.call(y, "batch_norm", b.rows, n, ...from, h, h.stride, y, y.stride, b.training ? 1 : 0);
    if (b.training) {
      buffers.forEach((running, i) => {
        b.commit(running, "moving_average", n, running, statistics[i], momentum);
      });
    }
    return {
      output: y,
      backward: (b, dy, wantsInput) => {
        const dx = wantsInput ? b.inPlace(dy) : undefined;
        emitColumnsBackward(b, { h, r }, parameters, dy, dx);
        return dx;
      },
    };
  },
};
