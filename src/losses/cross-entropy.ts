// Cross-entropy over classes, fused with its softmax head.
import type { BufferRef, Builder, LossRule, Targets } from "../contract.ts";
import { checkKeys, checkNumber, orDefault } from "../options.ts";

/** -log p of the right class, p a softmax output. */
export interface CrossEntropySpec {
  readonly kind: "cross-entropy";
  /** Share of the target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

/** loss = -log softmax(z)[label], or -sum t log softmax(z) for target rows.
 *  Shapes: z [rows, classes]. Source: as torch.nn.functional.cross_entropy. */
export const crossEntropyRule: LossRule<CrossEntropySpec> = {
  head: "softmax",
  targets: "classes",
  normalize(spec) {
    const where = "loss cross-entropy";
    checkKeys(where, spec, ["kind", "labelSmoothing"]);
    const smoothing = checkNumber(where, "labelSmoothing", orDefault(spec.labelSmoothing, 0), { low: 0, high: 1 });
    return Object.freeze({ kind: "cross-entropy", ...(smoothing > 0 ? { labelSmoothing: smoothing } : {}) });
  },
  emit({ labelSmoothing = 0 }, b, z, targets, weights, dz, sums, running) {
    const { columns: n, stride } = z;
    const { kind, ref } = labelSmoothing > 0 ? smooth(b, n, targets, labelSmoothing) : targets;
    if (kind === "labels") {
      b.call(dz, "softmax_cross_entropy", b.rows, n, z, stride, ref, weights, dz, dz.stride, sums, running);
    } else {
      b.call(
        dz,
        "softmax_cross_entropy_dense",
        b.rows,
        n,
        z,
        stride,
        ref,
        ref.stride,
        weights,
        dz,
        dz.stride,
        sums,
        running,
      );
    }
  },
};

function smooth(b: Builder, n: number, { kind, ref }: Targets, epsilon: number): Targets {
  const y: BufferRef = b.buffer(n);
  if (kind === "labels") b.call(y, "smooth_labels", b.rows, n, ref, y, y.stride, epsilon);
  else b.call(y, "smooth_rows", b.rows, n, ref, ref.stride, y, y.stride, epsilon);
  return { kind: "rows", ref: y };
}
