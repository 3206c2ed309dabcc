// A model as a file, a safetensors file with JSON in its metadata: what its writer and its reader agree on.
import { SimdgradError } from "../errors.ts";
import type { LearningRate } from "../schedules.ts";
import type { StateCopy } from "./engine.ts";
import type { RunState } from "./progress.ts";

export const FORMAT = "simdgrad";
export const VERSION = "1";

/** Prefixes of tensors that are no present weights: moments, the best epoch's state, the interrupted run's state. */
export const BEST = "best.";
export const PAUSED = "paused.";

/** So that a file's header stays sane, and what it may ask of who reads it. Units: characters of JSON. */
export const MAX_USER = 2 ** 22;
export const MAX_SPEC = 2 ** 17;

/** What counts up with the weights. */
export type Counters = Pick<StateCopy, "step" | "forwards">;

/** The training state beside the tensors, as JSON. */
export interface StateJson {
  readonly learningRate: LearningRate;
  readonly step: number;
  readonly forwards: number;
  readonly epoch: number;
  readonly run?: {
    readonly rows: number;
    readonly batchSize: number;
    readonly done: number;
    readonly batch: number;
    readonly sums: RunState["sums"];
    readonly best?: { readonly score: number; readonly epoch: number; readonly waited: number } & Counters;
    readonly paused?: Counters;
  };
}

/** Errors: CONFIG. */
export function limited(where: string, name: string, json: string, most: number): string {
  if (json.length <= most) return json;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected ${name} of at most ${most} characters as JSON, received ${json.length}.`,
  );
}

/** What is wrong in a part of a file is the file's fault, not a call's. */
export function inFile<T>(part: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SimdgradError && cause.code !== "CONFIG") throw cause;
    throw badFile(`its ${part} is not valid: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** Errors of a file, not of a call. */
export function badFile(what: string, cause?: unknown): SimdgradError {
  const text = what.replace(/\.$/, "");
  return new SimdgradError("FORMAT", `load: ${text}.`, "The file is damaged, or another version wrote it.", { cause });
}
