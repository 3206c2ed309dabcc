// Cross-entropy over classes, fused with its softmax head.
import type { LossRule } from "../contract.ts";
import { checkKeys } from "../options.ts";

export interface CrossEntropySpec {
  readonly kind: "cross-entropy";
}

/** loss = -log softmax(z)[label], or -sum t log softmax(z) for target rows.
 *  Shapes: z [rows, classes]. Source: as torch.nn.functional.cross_entropy. */
export const crossEntropyRule: LossRule<CrossEntropySpec> = {
  head: "softmax",
  targets: "classes",
  normalize(spec) {
    checkKeys("loss cross-entropy", spec, ["kind"]);
    return Object.freeze({ kind: "cross-entropy" });
  },
  emit(_, b, z, targets, weights, dz, sums) {
    const { columns: n, stride } = z;
    const { ref } = targets;
    if (targets.kind === "labels") {
      b.call(dz, "softmax_cross_entropy", b.rows, n, z, stride, ref, weights, dz, dz.stride, sums);
    } else {
      b.call(dz, "softmax_cross_entropy_dense", b.rows, n, z, stride, ref, ref.stride, weights, dz, dz.stride, sums);
    }
  },
};
