// What stays the same while a training command runs.
import type { RunOptions } from "../index.ts";
import type { Interrupt } from "./interrupt.ts";
import type { Terminal } from "./terminal.ts";
import type { TrainValues } from "./train-options.ts";

export interface Context {
  readonly terminal: Terminal;
  readonly values: TrainValues;
  readonly interrupt: Interrupt;
  readonly run: RunOptions;
}
