// What a run of the peers leaves behind.
import type { Measurement, Report, Result } from "../workload.ts";

export interface PeerResult extends Result {
  /** Why there are no values. */
  failure?: string;
  /** Of the digits: seconds of the first training in each process, start-up and compilation of the library included. */
  firstSeconds?: number[];
  /** Of the digits: test accuracy of each round. */
  accuracy?: number[];
}

export interface PeerReport extends Report {
  /** GFLOPS of the register loop in the same run: 128-bit multiply and add, and fused. */
  limits: { strict: number | null; relaxed: number | null };
  results: PeerResult[];
}

/** Every measurement as it came. */
export interface RawMeasurement extends Measurement {
  round: number;
  workload: string;
  contestant: string;
}
