// The residual block: what layers give is added to what goes into them.
import type { BufferRef, LayerRule } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { checkKeys } from "../options.ts";
import type { Layer, LayerSpec, ResidualSpec } from "./nested.ts";
import { normalizeChain, sealOwnLayer } from "./rule.ts";

/** y = x + f(x), f being the layers after each other; any layers, nested freely up to 64 levels. Their
 *  parameters are named by path, e.g. "2.0.kernel". Shapes: x, y [rows, units]; f gives as many units as go in.
 *  Errors: CONFIG. Source: He et al. 2016. */
export function residual(layers: readonly Layer[]): ResidualSpec {
  return residualRule.normalize({ kind: "residual", layers } as ResidualSpec);
}

export const residualRule: LayerRule<ResidualSpec> = {
  normalize(spec, known, depth = 0) {
    checkKeys("residual", spec, ["kind", "layers"]);
    const layers = normalizeChain("residual", spec.layers, known, depth + 1) as readonly LayerSpec[];
    return sealOwnLayer({ kind: "residual", layers }, residualRule);
  },
  chains: ({ layers }) => [{ path: "", layers }],
  units(_, inputs, [outputs]) {
    if (outputs === inputs) return inputs;
    throw new SimdgradError(
      "CONFIG",
      `residual: expected its layers to give ${inputs} outputs, as many as go in, found ${outputs}.`,
      `Give its last dense layer ${inputs} units, or put dense(${outputs}) before the block.`,
    );
  },
  parameters: () => [],
  emit(_, b, x, __, { chains: [chain] }) {
    b.hold(x);
    const inner = chain(b, x);
    const y = b.inPlace(inner.output);
    b.call(y, "add", b.elements(y), x, inner.output, y);
    return {
      output: y,
      backward: (b, dy, wantsInput) => {
        if (!wantsInput) return inner.backward(b, dy, false);
        b.hold(dy);
        const through = inner.backward(b, dy, true) as BufferRef;
        const dx = b.inPlace(through);
        b.call(dx, "add", b.elements(dx), dy, through, dx);
        return dx;
      },
    };
  },
};
