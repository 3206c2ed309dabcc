// What the cores that a contestant may use allow at most, with 128-bit vectors: WebAssembly has no wider ones.
import type { Contestant } from "./contestants.ts";
import type { Limits } from "./report.ts";
import { operations, type PeerWorkload, weightBytes } from "./workloads.ts";

/** The loop that measures each. */
export const LIMIT_LOOPS = { strict: "mul + add", relaxed: "relaxed_madd", weights: "128-bit loads" } as const;

type Allowed = Pick<Contestant, "threads" | "fused">;

/** In the workload's unit: by reading the weights where that is what takes the time, else by arithmetic; as often as
 *  there are threads. null for whole trainings, and where the limit was not measured. */
export function limitOf(workload: PeerWorkload, { threads = 1, fused }: Allowed, limits: Limits): number | null {
  if (workload.kind === "digits") return null;
  if (workload.streams) return limits.weights ? threads * limits.weights : null;
  const gflops = fused ? limits.relaxed : limits.strict;
  return gflops && (threads * gflops * 1e9) / operationsPerUnit(workload);
}

/** A step's, or a row's. */
export const operationsPerUnit = (workload: PeerWorkload): number =>
  operations(workload) / (workload.kind === "predict" ? workload.task.batch : 1);

/** What one core reads of the weights, in GB/s. */
export const bandwidthOf = (workload: PeerWorkload, { weights }: Limits): number | null =>
  weights ? (weights * weightBytes(workload)) / 1e9 : null;
