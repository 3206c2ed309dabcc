// The losses on plain differences, mean over rows and outputs.
import type { LossRule } from "../contract.ts";
import { checkKeys, checkNumber } from "../options.ts";

/** (y - t)^2. */
export interface MeanSquaredErrorSpec {
  readonly kind: "mean-squared-error";
}

/** |y - t|. */
export interface MeanAbsoluteErrorSpec {
  readonly kind: "mean-absolute-error";
}

/** d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), d = y - t. */
export interface HuberSpec {
  readonly kind: "huber";
  /** Where the parabola meets the line. Default 1. */
  readonly delta?: number;
}

function plain<S extends MeanSquaredErrorSpec | MeanAbsoluteErrorSpec>(
  kind: S["kind"],
  kernel: "mean_squared_error" | "mean_absolute_error",
): LossRule<S> {
  return {
    targets: "values",
    normalize(spec) {
      checkKeys(`loss ${kind}`, spec, ["kind"]);
      return Object.freeze({ kind }) as S;
    },
    emit(_, b, z, { ref }, weights, dz, sums, running) {
      b.call(dz, kernel, b.rows, z.columns, z, z.stride, ref, ref.stride, weights, dz, dz.stride, sums, running);
    },
  };
}

/** loss = (y - t)^2. */
export const meanSquaredErrorRule = /* @__PURE__ */ plain<MeanSquaredErrorSpec>(
  "mean-squared-error",
  "mean_squared_error",
);

/** loss = |y - t|; the gradient at 0 is 0. */
export const meanAbsoluteErrorRule = /* @__PURE__ */ plain<MeanAbsoluteErrorSpec>(
  "mean-absolute-error",
  "mean_absolute_error",
);

/** loss = d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), d = y - t.
 *  Source: Huber 1964, as torch.nn.functional.huber_loss. */
export const huberRule: LossRule<HuberSpec> = {
  targets: "values",
  normalize(spec) {
    checkKeys("loss huber", spec, ["kind", "delta"]);
    const { delta = 1 } = spec;
    // As f32, which must not round it to 0.
    const single = typeof delta === "number" ? Math.fround(delta) : delta;
    checkNumber("loss huber", "delta", single, { low: 0, openLow: true });
    return Object.freeze({ kind: "huber", delta });
  },
  emit(spec, b, z, { ref }, weights, dz, sums, running) {
    const delta = spec.delta as number;
    b.call(dz, "huber", b.rows, z.columns, z, z.stride, ref, ref.stride, weights, dz, dz.stride, sums, delta, running);
  },
};
