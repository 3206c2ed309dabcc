// Weights that a user sets: read and checked before any is written.
import type { BufferRef } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import type { Plan } from "../plan/compile.ts";
import { isNumberArray } from "./data.ts";

/** Parameters by name, flat or as rows; those not named stay as they are. */
export type WeightRecord = Readonly<Record<string, ArrayLike<number> | ArrayLike<ArrayLike<number>>>>;

export interface WeightWrite {
  readonly ref: BufferRef;
  readonly values: Float32Array;
}

/** Errors: CONFIG for an unknown name, SHAPE for a wrong length, DATA for a value that is not finite. */
export function readWeights(weights: WeightRecord | ArrayLike<number>, plan: Plan): WeightWrite[] {
  if (isNumberArray(weights) || Array.isArray(weights)) {
    const { parameters } = plan.blocks;
    return [{ ref: parameters, values: readValues("weights", weights, parameters.columns, "all parameters") }];
  }
  if (typeof weights !== "object" || weights === null) {
    throw new SimdgradError(
      "CONFIG",
      `setWeights: expected weights by name or one flat array, received ${show(weights)}.`,
    );
  }
  return Object.entries(weights as WeightRecord).map(([name, values]) => {
    const parameter = plan.parameters.find((known) => known.name === name);
    if (!parameter) {
      throw new SimdgradError(
        "CONFIG",
        `setWeights: unknown parameter ${show(name)}.`,
        `Known: ${plan.parameters.map((known) => known.name).join(", ")}.`,
      );
    }
    return {
      ref: parameter.ref,
      values: readValues(name, values, parameter.ref.columns, `shape [${parameter.shape.join(", ")}]`),
    };
  });
}

function readValues(
  name: string,
  source: ArrayLike<number> | ArrayLike<ArrayLike<number>>,
  length: number,
  shape: string,
): Float32Array {
  const nested = !isNumberArray(source) && typeof source?.[0] === "object";
  const flat = nested ? Array.from(source as ArrayLike<ArrayLike<number>>, (row) => Array.from(row)).flat() : source;
  if (flat?.length !== length) {
    throw new SimdgradError(
      "SHAPE",
      `setWeights: expected ${length} values for ${show(name)} (${shape}), received ${flat?.length ?? show(flat)}.`,
    );
  }
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value = flat[i];
    values[i] = value as number;
    if (typeof value !== "number" || !Number.isFinite(values[i])) {
      throw new SimdgradError(
        "DATA",
        `setWeights: expected a finite number in ${show(name)} at ${i}, received ${show(value)}.`,
      );
    }
  }
  return values;
}
