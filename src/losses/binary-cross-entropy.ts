// Binary cross-entropy, fused with its sigmoid head.
import type { LossRule } from "../contract.ts";
import { checkKeys } from "../options.ts";

/** -(t log p + (1 - t) log(1 - p)), p a sigmoid output, t in [0, 1]. */
export interface BinaryCrossEntropySpec {
  readonly kind: "binary-cross-entropy";
}

/** loss = -(t log s(z) + (1 - t) log(1 - s(z))), mean over outputs. Units: targets in [0, 1].
 *  Source: as torch.nn.functional.binary_cross_entropy_with_logits. */
export const binaryCrossEntropyRule: LossRule<BinaryCrossEntropySpec> = {
  head: "sigmoid",
  targets: "probabilities",
  normalize(spec) {
    checkKeys("loss binary-cross-entropy", spec, ["kind"]);
    return Object.freeze({ kind: "binary-cross-entropy" });
  },
  emit(_, b, z, { ref }, weights, dz, sums, running) {
    const kernel = "sigmoid_binary_cross_entropy";
    b.call(dz, kernel, b.rows, z.columns, z, z.stride, ref, ref.stride, weights, dz, dz.stride, sums, running);
  },
};
