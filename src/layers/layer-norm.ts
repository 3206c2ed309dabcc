// The layer normalization: each row to mean 0 and variance 1, then scaled and shifted.
import type { LayerRule } from "../contract.ts";
import { checkKeys } from "../options.ts";
import { checkNorm, emitColumnsBackward, type NormOptions, normParameters } from "./normalization.ts";
import { sealOwnLayer } from "./rule.ts";

/** A layer normalization as data. */
export interface LayerNormSpec {
  readonly kind: "layer-norm";
  readonly epsilon: number;
  readonly trainable: boolean;
}

/** y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance of each row.
 *  Shapes: x, y [rows, units]; gamma, beta [units], from 1 and 0. Errors: CONFIG.
 *  Source: Ba, Kiros & Hinton 2016, as torch.nn.LayerNorm. */
export function layerNorm(options: NormOptions = {}): LayerNormSpec {
  checkKeys("layerNorm", options, ["epsilon", "trainable"]);
  return layerNormRule.normalize({ ...options, kind: "layer-norm" } as LayerNormSpec);
}

export const layerNormRule: LayerRule<LayerNormSpec> = {
  passes: true,
  normalize(spec) {
    checkKeys("layerNorm", spec, ["kind", "epsilon", "trainable"]);
    return sealOwnLayer({ kind: "layer-norm", ...checkNorm("layerNorm", spec) }, layerNormRule);
  },
  units: (_, inputs) => inputs,
  parameters: normParameters,
  emit({ epsilon }, b, x, parameters) {
    const [gamma, beta] = parameters;
    const n = x.columns;
    const r = b.buffer(1, false);
    const h = b.inPlace(x);
    b.keep(h);
    const y = b.inPlace(h);
    const to = [h, h.stride, y, y.stride] as const;
    b.call(y, "layer_norm", b.rows, n, x, x.stride, gamma, beta, epsilon, r, ...to);
    return {
      output: y,
      backward: (b, dy, wantsInput) => {
        emitColumnsBackward(b, { h, r }, parameters, dy, undefined);
        if (!wantsInput) return undefined;
        const dx = b.inPlace(dy);
        const from = [h, h.stride, r, gamma, dy, dy.stride] as const;
        b.call(dx, "layer_norm_backward", b.rows, n, ...from, dx, dx.stride);
        return dx;
      },
    };
  },
};
