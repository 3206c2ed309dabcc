// Classes: their names, their indices, and one-hot rows.
import { SimdgradError, show } from "../errors.ts";
import { checkCount, checkNumber } from "../options.ts";
import { checkList, checkTexts } from "./table.ts";

/** No array holds more. */
const MAX_VALUES = 2 ** 32 - 1;

/** What a class may be called. */
export type Label = string | number | boolean;

/** The different labels as text, in order: of numbers if all are, else of their characters' codes. */
export function classesOf(labels: ArrayLike<Label>): string[] {
  const wrong = Array.from(checkList("classesOf", "labels", labels)).findIndex((label) => !isLabel(label));
  if (wrong >= 0) {
    throw new SimdgradError(
      "DATA",
      `classesOf: expected text, a number or a boolean at row ${wrong}, received ${show(labels[wrong])}.`,
    );
  }
  const names = [...new Set(Array.from(labels, String))];
  const numeric = names.every((name) => name !== "" && Number.isFinite(Number(name)));
  return names.sort((a, b) => (numeric && Number(a) - Number(b)) || (a < b ? -1 : 1));
}

function isLabel(value: unknown): value is Label {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** The index of each label among the classes. Errors: DATA for a label that is none of them. */
export function toIndices(labels: ArrayLike<Label>, classes: readonly string[]): Int32Array<ArrayBuffer> {
  const index = new Map(checkTexts("toIndices", "classes", classes).map((name, i) => [name, i]));
  return Int32Array.from({ length: checkList("toIndices", "labels", labels).length }, (_, row) => {
    const label: unknown = labels[row];
    const found = isLabel(label) ? index.get(String(label)) : undefined;
    if (found !== undefined) return found;
    throw new SimdgradError(
      "DATA",
      `toIndices: expected one of ${classes.length} classes at row ${row}, received ${show(labels[row])}.`,
      `Classes: ${classes.slice(0, 20).join(", ")}.`,
    );
  });
}

/** The class of each index. Errors: DATA for an index out of range. */
export function fromIndices(indices: ArrayLike<number>, classes: readonly string[]): string[] {
  const { length } = checkTexts("fromIndices", "classes", classes);
  return Array.from(
    checkList("fromIndices", "indices", indices),
    (index, row) => classes[checkIndex("fromIndices", index, row, length)],
  );
}

/** A row for each class index, 1 in its column and 0 elsewhere. Shapes: [rows, classes], flat.
 *  Units: classes is one more than the largest index by default. Errors: DATA for an index out of range. */
export function oneHot(indices: ArrayLike<number>, classes?: number): Float32Array<ArrayBuffer> {
  checkList("oneHot", "indices", indices);
  const count = classes === undefined ? largest(indices) + 1 : checkCount("oneHot", "classes", classes);
  checkNumber("oneHot", "classes", count, { high: Math.floor(MAX_VALUES / Math.max(indices.length, 1)) });
  const rows = new Float32Array(indices.length * count);
  for (let i = 0; i < indices.length; i++) rows[i * count + checkIndex("oneHot", indices[i], i, count)] = 1;
  return rows;
}

function largest(indices: ArrayLike<number>): number {
  let found = 0;
  for (let i = 0; i < indices.length; i++) if (indices[i] > found) found = indices[i];
  return found;
}

function checkIndex(where: string, index: number, row: number, classes: number): number {
  if (Number.isInteger(index) && index >= 0 && index < classes) return index;
  throw new SimdgradError(
    "DATA",
    `${where}: expected a class index from 0 to ${classes - 1} at row ${row}, received ${show(index)}.`,
  );
}
