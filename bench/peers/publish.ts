// From results to bench/results/peers.json, which README's table and chart are made of.
import { describeParts, replace } from "../publish.ts";
import { contestants } from "./contestants.ts";
import { LIMIT_LOOPS } from "./limits.ts";
import { checkWholePeers, type PeerOptions } from "./options.mjs";
import type { PeerReport } from "./report.ts";
import { competes, workloads } from "./workloads.ts";

const PUBLISHED = "bench/results/peers.json";

/** `file` holds the report and all measurements; it is named where publishing is refused. A contestant that failed
 *  counts as there, for the table says why; a limit that failed does not. Errors: UsageError. */
export function publish(
  report: PeerReport,
  file: string,
  options: Pick<PeerOptions, "evenIfDisturbed">,
  published = PUBLISHED,
): void {
  const { rounds, results, limits } = report;
  const all = workloads.flatMap((workload) => contestants.filter((each) => competes(workload, each))).length;
  const there = results.filter(({ values, failure }) => failure !== undefined || values.length >= rounds).length;
  const loops = (["strict", "relaxed", "weights"] as const).filter((limit) => !limits[limit]);
  const parts = [...loops.map((limit) => `no limit by ${LIMIT_LOOPS[limit]}`), ...describeParts(report, there, all)];
  checkWholePeers({ ...report, parts });
  replace(published, report, file, options);
}
