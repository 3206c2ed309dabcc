// Stops a training that no longer gets better, and brings back its best state.
import { SimdgradError } from "../errors.ts";
import { checkCount, checkKeys, checkName, checkNumber } from "../options.ts";
import type { Engine, StateCopy } from "./engine.ts";
import type { EpochReport } from "./reports.ts";

const MONITORS = ["validationLoss", "validationAccuracy", "loss", "accuracy"] as const;

export interface EarlyStoppingOptions {
  /** Accuracies are to rise, losses to fall. Default "validationLoss". */
  monitor?: (typeof MONITORS)[number];
  /** Training stops after this many epochs without a gain; 0 counts as 1. */
  patience: number;
  /** A smaller change is no gain. Default 0. */
  minDelta?: number;
}

/** Watches reports and keeps the state of the best epoch. */
export class EarlyStopping {
  bestEpoch: number | undefined;
  private readonly engine: Engine;
  private readonly monitor: (typeof MONITORS)[number];
  private readonly patience: number;
  private readonly minDelta: number;
  private best = Number.POSITIVE_INFINITY;
  private waited = 0;
  private snapshot: StateCopy | undefined;

  /** Errors: CONFIG. */
  constructor(where: string, engine: Engine, options: EarlyStoppingOptions) {
    const at = `${where}, earlyStopping`;
    checkKeys(at, options, ["monitor", "patience", "minDelta"]);
    this.engine = engine;
    this.monitor = checkName(at, "monitor", options.monitor ?? "validationLoss", MONITORS);
    this.patience = checkCount(at, "patience", options.patience, 0);
    this.minDelta = checkNumber(at, "minDelta", options.minDelta ?? 0, { low: 0 });
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

  /** Whether training is to stop after this epoch. */
  observe(report: EpochReport): boolean {
    const value = report[this.monitor] as number;
    const score = this.monitor.toLowerCase().endsWith("accuracy") ? -value : value;
    if (score < this.best - this.minDelta) {
      this.best = score;
      this.bestEpoch = report.epoch;
      this.waited = 0;
      this.snapshot = this.engine.copyState();
      return false;
    }
    this.waited++;
    return this.waited >= this.patience;
  }

  /** Brings back weights, moments and the optimizer's step as they were after the best epoch. */
  restore(): void {
    if (this.snapshot) this.engine.restoreState(this.snapshot);
  }
}
