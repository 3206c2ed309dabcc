// How a training goes on: a bar on a terminal, else a line now and then; to stderr.
import { SingleBar } from "cli-progress";
import type { BatchReport, EpochReport } from "../index.ts";
import { duration, grouped, type Terminal } from "./terminal.ts";

export interface Progress {
  onBatch(report: BatchReport): void;
  onEpoch(report: EpochReport): void;
  /** Gives the terminal back. */
  stop(): void;
}

/** What is to be done: epochs from `first` (the model's, counted from 1) to `last`, of so many rows. */
export interface Work {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  /** Before the epoch, such as which fold it is. */
  readonly title?: string | undefined;
}

export const SILENT: Progress = { onBatch() {}, onEpoch() {}, stop() {} };

export function progressOf(terminal: Terminal, work: Work): Progress {
  return terminal.err.isTTY ? bar(terminal, work) : lines(terminal, work);
}

/** About this many lines a training. */
const LINES = 20;

function lines(terminal: Terminal, { first, last, title }: Work): Progress {
  const every = Math.max(1, Math.ceil((last - first + 1) / LINES));
  return {
    ...SILENT,
    onEpoch(report) {
      const { epoch, rowsPerSecond } = report;
      if (epoch % every !== 0 && epoch !== last) return;
      const position = `epoch ${String(epoch).padStart(String(last).length)}/${last}`;
      terminal.note(
        [...(title ? [title] : []), position, ...figures(report), `${grouped(rowsPerSecond)} rows/s`].join("  "),
      );
    },
  };
}

/** Loss and accuracy, of the validation part too where there is one, and metrics. */
function figures(report: EpochReport): string[] {
  const { loss, accuracy, validationLoss, validationAccuracy, ...others } = report;
  const { epoch: _, step: __, learningRate: ___, rowsPerSecond: ____, ...metrics } = others;
  const shown = Object.entries({ loss, accuracy, validationLoss, validationAccuracy, ...metrics });
  return shown.flatMap(([name, value]) => (value === undefined ? [] : [`${spoken(name)} ${short(value)}`]));
}

/** validationF1 -> validation f1. */
export function spoken(name: string): string {
  return name.replace(/^validation(.)/, (_, letter: string) => `validation ${letter.toLowerCase()}`);
}

/** In six or seven characters. */
function short(value: number): string {
  return value === 0 || (value >= 1e-3 && value < 100) ? value.toFixed(4) : value.toExponential(1);
}

/** The same in few characters. */
function shortFigures({ loss, accuracy, validationLoss, validationAccuracy }: EpochReport): string {
  const pair = (first: number, second: number | undefined) =>
    [first, second].flatMap((value) => (value === undefined ? [] : [short(value)])).join(" ");
  const validation = validationLoss === undefined ? "" : `  validation ${pair(validationLoss, validationAccuracy)}`;
  return `${accuracy === undefined ? "loss" : "loss, accuracy"} ${pair(loss, accuracy)}${validation}`;
}

/** Characters beside the bar, at most. */
const BESIDE = 92;

function bar({ err }: Terminal, { first, last, rows, title }: Work): Progress {
  const start = performance.now();
  const head = title ? `${title}  ` : "";
  const single = new SingleBar({
    format: `${head}{bar} epoch {epoch}/${last}  {figures}  {speed} rows/s  {left} left`,
    stream: err,
    barsize: Math.max(4, Math.min(30, (err.columns || 100) - BESIDE - head.length)),
    barCompleteChar: "━",
    barIncompleteChar: "─",
    hideCursor: true,
    // A line that is too long would be drawn anew each time, one under the other.
    linewrap: false,
  });
  let [done, skipped] = [0, -1];
  single.start(1, 0, { epoch: first, figures: "loss -", speed: "-", left: "-" });
  return {
    onBatch({ epoch, batch, batches, loss }) {
      const position = (epoch - first) * batches + batch + 1;
      if (skipped < 0) {
        // A resumed epoch begins where it was left.
        skipped = position - 1;
        single.setTotal((last - first + 1) * batches);
      }
      done = position;
      const seconds = (performance.now() - start) / 1000;
      const perBatch = seconds / (done - skipped);
      const left = duration(perBatch * ((last - first + 1) * batches - done));
      const speed = grouped(rows / batches / perBatch);
      single.update(done, { epoch, speed, left, ...(epoch === first ? { figures: `loss ${short(loss)}` } : {}) });
    },
    onEpoch(report) {
      single.update(done, { figures: shortFigures(report) });
    },
    stop: () => single.stop(),
  };
}
