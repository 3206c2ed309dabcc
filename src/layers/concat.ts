// The concatenation: branches of layers read the same input, their outputs stand side by side.
import type { BufferRef, LayerRule } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { checkCount, checkKeys } from "../options.ts";
import type { ConcatSpec, Layer, LayerSpec } from "./nested.ts";
import { normalizeChain, sealOwnLayer } from "./rule.ts";

/** y = [f1(x), f2(x), ...], each f a branch of layers after each other, nested freely up to 64 levels; an empty
 *  branch gives x itself. Parameters are named by path, e.g. "2.1.0.kernel" of the first layer of branch 1.
 *  Shapes: x [rows, inputs], y [rows, sum of the branches' outputs]. Errors: CONFIG. */
export function concat(branches: readonly (readonly Layer[])[]): ConcatSpec {
  return concatRule.normalize({ kind: "concat", branches } as ConcatSpec);
}

export const concatRule: LayerRule<ConcatSpec> = {
  normalize(spec, known, depth = 0) {
    checkKeys("concat", spec, ["kind", "branches"]);
    const given: unknown = spec.branches;
    if (!Array.isArray(given) || given.length === 0) {
      throw new SimdgradError(
        "CONFIG",
        `concat: expected branches to be an array of arrays of layers, received ${show(given)}.`,
      );
    }
    const normalized = (branch: unknown, i: number) =>
      normalizeChain(`concat, branch ${i}`, branch, known, depth + 1, 0) as readonly LayerSpec[];
    const branches = Object.freeze(Array.from(given, normalized));
    return sealOwnLayer({ kind: "concat", branches }, concatRule);
  },
  chains: ({ branches }) => branches.map((layers, i) => ({ path: `${i}.`, layers })),
  // Branches within branches double with each level: more than a number can count.
  units: (_, __, outputs) =>
    checkCount(
      "concat",
      "all outputs",
      outputs.reduce((sum, units) => sum + units, 0),
    ),
  parameters: () => [],
  emit(_, b, x, __, { chains }) {
    b.hold(x);
    const inner = chains.map((chain) => chain(b, x));
    const widths = inner.map(({ output }) => output.columns);
    const starts = [0];
    for (const width of widths) starts.push(starts[starts.length - 1] + width);
    const y = b.buffer(starts[widths.length]);
    inner.forEach(({ output }, i) => {
      const to = b.slice(y, starts[i], widths[i]);
      b.call(to, "copy_matrix", b.rows, widths[i], output, output.stride, to, to.stride);
    });
    return {
      output: y,
      backward: (b, dy, wantsInput) => {
        let dx: BufferRef | undefined;
        inner.forEach(({ backward }, i) => {
          const from = b.slice(dy, starts[i], widths[i]);
          const d = b.buffer(widths[i]);
          b.call(d, "copy_matrix", b.rows, widths[i], from, from.stride, d, d.stride);
          const part = backward(b, d, wantsInput);
          if (!part || !dx) dx = part;
          else b.call(dx, "add", b.elements(dx), dx, part, dx);
        });
        return dx;
      },
    };
  },
};
