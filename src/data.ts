// Entry `simdgrad/data`: from files to numbers. Tables, CSV, preprocessing that is fitted once and kept as plain data.
export { type ApplyOptions, apply, applyInputs, applyStream, decode, type Prepared } from "./data/apply.ts";
export { classesOf, fromIndices, type Label, oneHot, toIndices } from "./data/classes.ts";
export { type CsvStreamOptions, csv, csvStream } from "./data/csv.ts";
export { type CsvOptions, MISSING_CELLS } from "./data/csv-options.ts";
export type { CsvSource } from "./data/csv-source.ts";
export type { FillStrategy, NumberFit, NumberFitOptions, ScaleStrategy } from "./data/numbers.ts";
export { type PrepareOptions, prepare, prepareStream } from "./data/prepare.ts";
export {
  type CategoryFeature,
  type ClassTarget,
  columnTypes,
  type Feature,
  featureNames,
  type NumberFeature,
  type NumberTarget,
  type Preprocessing,
  parsePreprocessing,
  type Target,
} from "./data/preprocessing.ts";
export { impute, minMax, type Scaling, type ScalingOptions, scale, standardize } from "./data/scaling.ts";
export {
  type Fold,
  type KFoldOptions,
  kFold,
  type PartOf,
  type SplitOptions,
  type Splittable,
  split,
} from "./data/splits.ts";
export {
  type Cell,
  type Column,
  type ColumnType,
  dropMissing,
  type NumberColumn,
  type Table,
  type TextColumn,
  table,
  take,
} from "./data/table.ts";
export { type WhyText, whyText } from "./data/why-text.ts";
