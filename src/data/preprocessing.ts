// Fitted preprocessing: what was learned from the training part, as plain data that is kept beside the model.
import { SimdgradError, show } from "../errors.ts";
import { checkObject } from "../options.ts";
import { isFit, type NumberFit } from "./numbers.ts";
import type { ColumnType } from "./table.ts";

/** A column of numbers: one input. */
export interface NumberFeature extends NumberFit {
  readonly column: string;
  readonly kind: "number";
}

/** A column of categories: an input each. */
export interface CategoryFeature {
  readonly column: string;
  readonly kind: "category";
  /** The column's type in the table. */
  readonly type: ColumnType;
  readonly categories: readonly string[];
  /** The category of a missing cell; null: zeros or an error, as for unknown ones. */
  readonly fill: string | null;
  readonly unknown: "error" | "zeros";
}

/** What a column becomes. */
export type Feature = NumberFeature | CategoryFeature;

/** What is predicted: a number, scaled as (value - offset) * factor. */
export interface NumberTarget {
  readonly column: string;
  readonly kind: "number";
  readonly offset: number;
  readonly factor: number;
}

/** What is predicted: a class, by its index. */
export interface ClassTarget {
  readonly column: string;
  readonly kind: "class";
  readonly type: ColumnType;
  readonly classes: readonly string[];
}

/** What is predicted. */
export type Target = NumberTarget | ClassTarget;

/** What was learned from the training part: plain data, kept as JSON. */
export interface Preprocessing {
  readonly kind: "preprocessing";
  readonly version: 1;
  /** Number of inputs. */
  readonly inputs: number;
  readonly features: readonly Feature[];
  readonly target?: Target | undefined;
}

/** Inputs that a feature takes. */
export function widthOf(feature: Feature): number {
  return feature.kind === "number" ? 1 : feature.categories.length;
}

/** The types of the columns that were fitted, for reading another file as the first one was. */
export function columnTypes(preprocessing: Preprocessing): Record<string, ColumnType> {
  checkFitted("columnTypes", preprocessing);
  const { features, target } = preprocessing;
  const typeOf = (part: Feature | Target) => (part.kind === "number" ? "number" : part.type);
  return Object.fromEntries([...features, ...(target ? [target] : [])].map((part) => [part.column, typeOf(part)]));
}

/** A name for each input: the column's, or "column=category". */
export function featureNames(preprocessing: Preprocessing): string[] {
  checkFitted("featureNames", preprocessing);
  return preprocessing.features.flatMap((feature) =>
    feature.kind === "number"
      ? [feature.column]
      : feature.categories.map((category) => `${feature.column}=${category}`),
  );
}

/** What was kept as JSON. Errors: FORMAT for text that is something else. */
export function parsePreprocessing(text: string): Preprocessing {
  let value: Preprocessing | undefined;
  try {
    value = JSON.parse(text) as Preprocessing;
    checkFitted("parsePreprocessing", value);
    return value;
  } catch (cause) {
    const newer = value?.kind === "preprocessing" && Number(value.version) > 1;
    const why = cause instanceof SimdgradError ? "" : " of JSON";
    throw new SimdgradError(
      "FORMAT",
      `parsePreprocessing: expected fitted preprocessing${why}, received ${show(text)}.`,
      newer ? "A newer simdgrad wrote it: update the package." : "It is what JSON.stringify makes of prepare's result.",
      { cause },
    );
  }
}

/** Errors: CONFIG for what is no fitted preprocessing of this version. */
export function checkFitted(where: string, value: Preprocessing): void {
  const { kind, version, inputs, features, target } = checkObject(where, value);
  const sound =
    kind === "preprocessing" &&
    version === 1 &&
    Array.isArray(features) &&
    features.every(isFeature) &&
    features.reduce((sum, feature) => sum + widthOf(feature), 0) === inputs &&
    (target === undefined || isTarget(target));
  if (!sound) throw new SimdgradError("CONFIG", `${where}: expected what prepare returned, received ${show(value)}.`);
}

function isFeature(value: Feature): boolean {
  if (typeof value?.column !== "string") return false;
  if (value.kind === "category") return isClasses(value.categories) && isType(value.type);
  return value.kind === "number" && isFit(value);
}

function isTarget(value: Target): boolean {
  if (typeof value?.column !== "string") return false;
  if (value.kind === "class") return isClasses(value.classes) && isType(value.type);
  return value.kind === "number" && [value.offset, value.factor].every(Number.isFinite) && value.factor !== 0;
}

function isClasses(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && Array.from(value).every((name) => typeof name === "string");
}

function isType(value: unknown): boolean {
  return value === "number" || value === "text";
}

/** The error of a column whose type is not what it was. */
export function changedType(where: string, name: string, expected: ColumnType, received: ColumnType): SimdgradError {
  return new SimdgradError(
    "DATA",
    `${where}: expected column ${show(name)} to be of type ${expected}, received ${received}.`,
    "csv and csvStream take types: columnTypes(preprocessing), or { name: type }.",
  );
}
