// Weights that a user sets: read and checked before any is written.
import type { BufferRef } from "../contract.ts";
import { SimdgradError, show } from "../errors.ts";
import { lengthOf } from "../options.ts";
import type { Plan } from "../plan/compile.ts";
import { isNumberArray } from "./matrix.ts";

/** Parameters by name, flat or as rows; those not named stay as they are. */
export type WeightRecord = Readonly<Record<string, ArrayLike<number> | ArrayLike<ArrayLike<number>>>>;

interface WeightWrite {
  readonly ref: BufferRef;
  readonly values: Float32Array;
}

/** Errors: CONFIG for an unknown name, SHAPE for a wrong length, DATA for a value that is not finite. */
export function readWeights(weights: WeightRecord | ArrayLike<number>, plan: Plan): WeightWrite[] {
  if (isNumberArray(weights) || Array.isArray(weights)) {
    const { parameters } = plan.blocks;
    return [{ ref: parameters, values: readValues("weights", weights as ArrayLike<number>, [parameters.columns]) }];
  }
  if (!isPlainObject(weights)) {
    throw new SimdgradError(
      "CONFIG",
      `setWeights: expected weights by name or one flat array, received ${show(weights)}.`,
    );
  }
  return Object.entries(weights).map(([name, values]) => {
    const parameter = plan.parameters.find((known) => known.name === name);
    if (!parameter) {
      throw new SimdgradError(
        "CONFIG",
        `setWeights: expected names of parameters, received the unknown parameter ${show(name)}.`,
        `Known: ${plan.parameters.map((known) => known.name).join(", ")}.`,
      );
    }
    return { ref: parameter.ref, values: readValues(name, flatten(name, values, parameter.shape), parameter.shape) };
  });
}

function isPlainObject(value: unknown): value is WeightRecord {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Rows become flat once their shape is right. Errors: SHAPE. */
function flatten(
  name: string,
  source: ArrayLike<number> | ArrayLike<ArrayLike<number>>,
  shape: readonly number[],
): ArrayLike<number> {
  if (isNumberArray(source) || typeof source?.[0] !== "object") return source as ArrayLike<number>;
  const rows = Array.from(source as ArrayLike<ArrayLike<number>>);
  const found = [rows.length, lengthOf(rows[0])];
  const ragged = rows.findIndex((row) => lengthOf(row) === undefined || lengthOf(row) !== found[1]);
  if (ragged >= 0) throw badShape(name, shape, `row ${ragged} of ${lengthOf(rows[ragged]) ?? show(rows[ragged])}`);
  if (found[0] !== shape[0] || found[1] !== (shape[1] ?? 1)) throw badShape(name, shape, `[${found.join(", ")}]`);
  return rows.flatMap((row) => Array.from(row));
}

function badShape(name: string, shape: readonly number[], found: string): SimdgradError {
  return new SimdgradError(
    "SHAPE",
    `setWeights: expected ${show(name)} to have the shape [${shape.join(", ")}], received ${found}.`,
    "A kernel is [inputs, units], the transpose of PyTorch's weight; a typed array has it flat, row-major.",
  );
}

function readValues(name: string, source: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const length = shape.reduce((product, n) => product * n, 1);
  if (source?.length !== length) {
    throw badShape(name, shape, source?.length === undefined ? show(source) : `[${source.length}]`);
  }
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value = source[i];
    if (typeof value === "number") values[i] = value;
    if (typeof value !== "number" || !Number.isFinite(values[i])) {
      throw new SimdgradError(
        "DATA",
        `setWeights: expected a finite f32 number in ${show(name)} at ${i}, received ${show(value)}.`,
      );
    }
  }
  return values;
}
