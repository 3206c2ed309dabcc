// What a training has found: printed, put into the report, or given as JSON.
import type { History } from "../index.ts";
import type { ColumnChoice } from "./columns.ts";
import type { Scores } from "./metrics.ts";
import type { EpochRecord, Settings } from "./settings.ts";

/** `--json` prints it. */
export interface Outcome {
  readonly task: Settings["task"];
  readonly target: string;
  readonly rows: number;
  readonly columns?: readonly ColumnChoice[];
  readonly parameters?: number;
  readonly crossValidation?: CrossValidation;
  readonly epochs?: readonly EpochRecord[];
  readonly stopped?: History["stopped"];
  readonly bestEpoch?: number | undefined;
  /** On the part that was kept from training. */
  readonly validation?: Scores | undefined;
  readonly saved?: string | undefined;
}

export interface CrossValidation {
  readonly folds: readonly Scores[];
  /** Of all rows, each predicted by the model that did not see it. */
  readonly together: Scores;
}
