// Classes: their names, their indices, and one-hot rows.
import { SimdgradError, show } from "../errors.ts";
import { checkCount } from "../options.ts";

/** What a class may be called. */
export type Label = string | number | boolean;

/** The different labels as text, in order: of numbers if all are, else of their characters' codes. */
export function classesOf(labels: ArrayLike<Label>): string[] {
  const names = [...new Set(Array.from(labels, String))];
  const numeric = names.every((name) => name !== "" && Number.isFinite(Number(name)));
  return names.sort((a, b) => (numeric && Number(a) - Number(b)) || (a < b ? -1 : 1));
}

/** The index of each label among the classes. Errors: DATA for a label that is none of them. */
export function toIndices(labels: ArrayLike<Label>, classes: readonly string[]): Int32Array {
  const index = new Map(classes.map((name, i) => [name, i]));
  return Int32Array.from({ length: labels.length }, (_, row) => {
    const found = index.get(String(labels[row]));
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
  return Array.from(indices, (index, row) => classes[checkIndex("fromIndices", index, row, classes.length)]);
}

/** A row for each class index, 1 in its column and 0 elsewhere. Shapes: [rows, classes], flat.
 *  Units: classes is one more than the largest index by default. Errors: DATA for an index out of range. */
export function oneHot(indices: ArrayLike<number>, classes?: number): Float32Array {
  const count = classes === undefined ? largest(indices) + 1 : checkCount("oneHot", "classes", classes);
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
