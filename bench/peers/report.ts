// What a run of the peers leaves behind.
import type { Measurement, Report, Result } from "../workload.ts";

export interface PeerResult extends Result {
  /** Why values are missing. */
  failure?: string;
  /** Of the digits: seconds of the first training in each process, start-up and compilation of the library included. */
  firstSeconds?: number[];
  /** Of the digits: test accuracy of each round. */
  accuracy?: number[];
}

/** Of one core and 128-bit vectors, in the same run. */
export interface Limits {
  /** GFLOPS of the register loop: multiply and add. */
  strict: number | null;
  /** The same, fused. */
  relaxed: number | null;
  /** How often a second the weights of the inference workload are read. */
  weights?: number | null;
}

export interface PeerReport extends Report {
  limits: Limits;
  results: PeerResult[];
}

/** Every measurement as it came. */
export interface RawMeasurement extends Measurement {
  round: number;
  workload: string;
  contestant: string;
}
