// A model as a file, a safetensors file with JSON in its metadata: what its writer and its reader agree on.
import { HINTS, SimdgradError, withoutHint } from "../errors.ts";
import { OWN_KINDS } from "../layers/rule.ts";
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
  /** Absent before the first step, and in files of before. */
  readonly bounded?: boolean;
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
    const wrong = `load: its ${part} is not valid:`;
    if (!(cause instanceof SimdgradError)) {
      throw new SimdgradError("FORMAT", `${wrong} ${(cause as Error).message}.`, undefined, { cause });
    }
    if (cause.code !== "CONFIG") throw cause;
    // A layer of the user's own is no damage.
    const own = cause.hint.endsWith(OWN_KINDS);
    const hint = own ? cause.hint : cause.hint === HINTS.CONFIG ? HINTS.FORMAT : `${cause.hint} ${HINTS.FORMAT}`;
    throw new SimdgradError("FORMAT", `${wrong} ${withoutHint(cause)}`, hint, { cause });
  }
}

/** Errors of a file, not of a call. */
export function badFile(what: string, hint?: string, cause?: unknown): SimdgradError {
  return new SimdgradError("FORMAT", `load: ${what.replace(/\.$/, "")}.`, hint, cause ? { cause } : {});
}
