// Stops a training that no longer gets better, and brings back its best state.
import { SimdgradError, show } from "../errors.ts";
import { checkCount, checkKeys, checkNumber, orDefault } from "../options.ts";
import type { Engine } from "./engine.ts";
import type { RunState } from "./progress.ts";
import type { EpochReport, ReportName } from "./reports.ts";

/** What a report holds. */
type Monitor = "loss" | "validationLoss" | ReportName;

/** When a training ends by itself. */
export interface EarlyStoppingOptions {
  /** Losses and mean errors are to fall, all else to rise. Default "validationLoss". */
  monitor?: Monitor | undefined;
  /** Training stops after this many epochs without a gain; 0 counts as 1. */
  patience: number;
  /** A smaller change is no gain. Default 0. */
  minDelta?: number | undefined;
}

/** Watches a run's reports and keeps the state of its best epoch. */
export class EarlyStopping {
  private readonly monitor: Monitor;
  private readonly falls: boolean;
  private readonly patience: number;
  private readonly minDelta: number;

  /** `measured`: what each report holds. Errors: CONFIG, also when the monitored number is not among it. */
  constructor(where: string, options: EarlyStoppingOptions, measured: readonly string[]) {
    const at = `${where}, earlyStopping`;
    checkKeys(at, options, ["monitor", "patience", "minDelta"]);
    this.monitor = orDefault(options.monitor, "validationLoss");
    if (!measured.includes(this.monitor)) {
      throw new SimdgradError(
        "CONFIG",
        `${at}: expected monitor to be one of ${measured.join(", ")}, received ${show(this.monitor)}.`,
        "What begins with validation needs validation or validationSplit; metrics stand in sequential's config.",
      );
    }
    this.falls = /(loss|mae)$/i.test(this.monitor);
    this.patience = checkCount(at, "patience", options.patience, 0);
    this.minDelta = checkNumber(at, "minDelta", orDefault(options.minDelta, 0), { low: 0 });
  }

  /** Whether this run has waited long enough. */
  isOver({ stopping }: RunState): boolean {
    return stopping !== undefined && stopping.waited > 0 && stopping.waited >= this.patience;
  }

  observe(run: RunState, report: EpochReport, engine: Engine): void {
    const value = report[this.monitor] as number;
    // What is not defined, as auc on rows of one kind, is worse than all else; so is what no file can hold.
    const score = Number.isFinite(value) ? (this.falls ? value : -value) : Number.MAX_VALUE;
    if (run.stopping && !(score < run.stopping.best - this.minDelta)) run.stopping.waited++;
    else run.stopping = { best: score, bestEpoch: report.epoch, waited: 0, state: engine.copyState() };
  }
}
