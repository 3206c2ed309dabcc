// From results to bench/results/peers.json, which README's table and chart are made of.
import { describeParts, replace } from "../publish.ts";
import { contestants } from "./contestants.ts";
import { checkWholePeers, type PeerOptions } from "./options.mjs";
import type { PeerReport } from "./report.ts";
import { competes, workloads } from "./workloads.ts";

const PUBLISHED = "bench/results/peers.json";

/** `file` holds the report and all measurements; it is named where publishing is refused. A contestant that failed
 *  counts as there: the table says why. Errors: UsageError. */
export function publish(
  report: PeerReport,
  file: string,
  options: Pick<PeerOptions, "evenIfDisturbed">,
  published = PUBLISHED,
): void {
  const { rounds, results } = report;
  const all = workloads.flatMap((workload) => contestants.filter((each) => competes(workload, each))).length;
  const there = results.filter(({ values, failure }) => failure !== undefined || values.length >= rounds).length;
  checkWholePeers({ ...report, parts: describeParts(report, there, all) });
  replace(published, report, file, options);
}
