// What `health` tells.
import { table } from "../plan/print.ts";

/** What one layer's numbers are like. */
export interface LayerHealth {
  /** Its index, nested "2.0". */
  readonly layer: string;
  /** Output 0 on every row of the data, and no gradient; undefined where no data was given. */
  readonly deadUnits: readonly number[] | undefined;
  /** Groups of units with the same weights: they give the same output, and training may never part them. */
  readonly symmetricUnits: readonly (readonly number[])[];
  /** Euclidean norms of the layer's parameters and of their gradients. */
  readonly weightNorm: number;
  readonly gradientNorm: number;
  /** Norm of the next update by norm of the weights, clipping and all; about 1e-3 is usual. Undefined without an
   *  optimizer, and where the update cannot be made. */
  readonly updateRatio: number | undefined;
  /** How many weights and gradients are NaN or infinite. */
  readonly nonFinite: number;
}

/** What `health` found. */
export interface HealthReport {
  readonly layers: readonly LayerHealth[];
  /** What is wrong, in words; empty when nothing is. */
  readonly findings: readonly string[];
  /** A table and the findings. */
  toString(): string;
}

export function report(layers: readonly LayerHealth[], findings: readonly string[]): HealthReport {
  const number = (value: number | undefined) => value?.toPrecision(3) ?? "";
  const rows = layers.map((layer) => [
    layer.layer,
    String(layer.deadUnits?.length ?? ""),
    String(layer.symmetricUnits.flat().length),
    number(layer.weightNorm),
    number(layer.gradientNorm),
    number(layer.updateRatio),
    String(layer.nonFinite),
  ]);
  const heading = ["layer", "dead", "symmetric", "weight norm", "gradient norm", "update/weight", "not finite"];
  return {
    layers,
    findings,
    toString: () => [table([heading, ...rows]), ...(findings.length > 0 ? findings : ["No findings."])].join("\n"),
  };
}
