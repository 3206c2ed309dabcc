// Stops a training that no longer gets better, and brings back its best state.
import { SimdgradError } from "../errors.ts";
import { checkCount, checkKeys, checkName, checkNumber, orDefault } from "../options.ts";
import type { Engine } from "./engine.ts";
import type { RunState } from "./progress.ts";
import type { EpochReport } from "./reports.ts";

const MONITORS = ["validationLoss", "validationAccuracy", "loss", "accuracy"] as const;

export interface EarlyStoppingOptions {
  /** Accuracies are to rise, losses to fall. Default "validationLoss". */
  monitor?: (typeof MONITORS)[number] | undefined;
  /** Training stops after this many epochs without a gain; 0 counts as 1. */
  patience: number;
  /** A smaller change is no gain. Default 0. */
  minDelta?: number | undefined;
}

/** Watches a run's reports and keeps the state of its best epoch. */
export class EarlyStopping {
  private readonly monitor: (typeof MONITORS)[number];
  private readonly patience: number;
  private readonly minDelta: number;

  /** Errors: CONFIG. */
  constructor(where: string, options: EarlyStoppingOptions) {
    const at = `${where}, earlyStopping`;
    checkKeys(at, options, ["monitor", "patience", "minDelta"]);
    this.monitor = checkName(at, "monitor", orDefault(options.monitor, "validationLoss"), MONITORS);
    this.patience = checkCount(at, "patience", options.patience, 0);
    this.minDelta = checkNumber(at, "minDelta", orDefault(options.minDelta, 0), { low: 0 });
  }

  /** Errors: CONFIG when this training does not measure what is monitored. */
  checkMeasured(where: string, { validates, classifies }: { validates: boolean; classifies: boolean }): void {
    const missing =
      (this.monitor.startsWith("validation") && !validates && "validation data") ||
      (this.monitor.toLowerCase().endsWith("accuracy") && !classifies && "a classifier's loss");
    if (!missing) return;
    throw new SimdgradError(
      "CONFIG",
      `${where}, earlyStopping: expected ${missing} to monitor ${this.monitor}, found none.`,
      'Pass validation or validationSplit, or monitor "loss".',
    );
  }

  /** Whether this run has waited long enough. */
  isOver({ stopping }: RunState): boolean {
    return stopping !== undefined && stopping.waited > 0 && stopping.waited >= this.patience;
  }

  observe(run: RunState, report: EpochReport, engine: Engine): void {
    const value = report[this.monitor] as number;
    const score = this.monitor.toLowerCase().endsWith("accuracy") ? -value : value;
    if (run.stopping && !(score < run.stopping.best - this.minDelta)) run.stopping.waited++;
    else run.stopping = { best: score, bestEpoch: report.epoch, waited: 0, state: engine.copyState() };
  }
}
