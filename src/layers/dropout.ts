// The dropout layer: in training some outputs are 0, the others larger; in inference nothing happens.
import type { BufferRef, Builder, LayerRule, Scalar } from "../contract.ts";
import { PURPOSE_DROPOUT } from "../numerics.ts";
import { checkKeys, checkNumber } from "../options.ts";
import { sealOwnLayer } from "./rule.ts";

/** A dropout layer as data. */
export interface DropoutSpec {
  readonly kind: "dropout";
  readonly rate: number;
}

/** In training y = x / (1 - rate), or 0 with probability `rate`, anew for each element and forward pass; in inference
 *  y = x. Shapes: x, y [rows, units]. Units: 0 <= rate < 1, in steps of 2^-24. Errors: CONFIG.
 *  Source: Srivastava et al. 2014, scaled in training as torch.nn.Dropout. */
export function dropout(rate: number): DropoutSpec {
  return dropoutRule.normalize({ kind: "dropout", rate });
}

/** The mask depends on the seed, the layer and this count: the way back makes it again. */
const FORWARDS: Scalar = { name: "forwards", value: ({ forwards }) => forwards };

export const dropoutRule: LayerRule<DropoutSpec> = {
  modal: true,
  passes: true,
  normalize(spec) {
    checkKeys("dropout", spec, ["kind", "rate"]);
    const bounds = { low: 0, high: 1 - 2 ** -24, range: " >= 0 and < 1, in steps of 2^-24" };
    const rate = checkNumber("dropout", "rate", spec.rate, bounds);
    return sealOwnLayer({ kind: "dropout", rate }, dropoutRule);
  },
  units: (_, inputs) => inputs,
  parameters: () => [],
  emit({ rate }, b, x, _, { index }) {
    if (!b.training || rate === 0) return { output: x, backward: (_, dy) => dy };
    const drop = (b: Builder, from: BufferRef): BufferRef => {
      const to = b.inPlace(from);
      const key = [...b.seed, PURPOSE_DROPOUT, index, FORWARDS] as const;
      b.call(to, "dropout", b.elements(from), from, to, 0, ...key, rate, 1 / (1 - rate));
      return to;
    };
    return { output: drop(b, x), backward: drop };
  },
};
