// Weights of classes, on top of those of rows.
import { SimdgradError } from "../errors.ts";
import { checkKeys, checkNumber, checkObject, orDefault } from "../options.ts";
import type { ReadDataset } from "./data.ts";
import type { FitOptions } from "./fit-options.ts";
import { isNumberArray } from "./matrix.ts";
import { classCount, classOf, type TargetShape } from "./targets.ts";

/** Row weights times the weight of the row's class. Errors: CONFIG, DATA. */
export function applyClassWeight(
  where: string,
  data: ReadDataset,
  classWeight: NonNullable<FitOptions["classWeight"]>,
  shape: TargetShape,
): ReadDataset {
  const classes = classCount(shape);
  if (classes === 0) {
    throw new SimdgradError("CONFIG", `${where}: expected classes with classWeight, received targets that are none.`);
  }
  const table = readClassWeight(where, classWeight, classes);
  const weights = Float32Array.from(
    { length: data.rows },
    (_, i) => (data.weights?.[i] ?? 1) * table[classOf(data.targets, i)],
  );
  return { ...data, weights };
}

/** A weight a class: an array of all, or a record whose missing classes weigh 1. */
function readClassWeight(where: string, classWeight: unknown, classes: number): number[] {
  const list = Array.isArray(classWeight) || isNumberArray(classWeight);
  if (list && classWeight.length !== classes) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected classWeight of ${classes} classes, received ${classWeight.length}.`,
    );
  }
  if (classWeight instanceof Map) {
    throw new SimdgradError(
      "CONFIG",
      `${where}: expected classWeight to be an array or a plain object, received a Map.`,
    );
  }
  const record: Record<string, unknown> = {
    ...checkObject(`${where}, classWeight`, list ? { ...classWeight } : (classWeight as object)),
  };
  const names = Array.from({ length: classes }, (_, i) => String(i));
  checkKeys(`${where}, classWeight`, record, names);
  return names.map((name) =>
    // Above, a product with a row's weight may leave f32.
    checkNumber(where, `classWeight of class ${name}`, orDefault(record[name], 1), { low: 0, high: 1e18 }),
  );
}
