// From raw results to bench/results/peers.json, which README's table and chart are made of.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeDisturbance } from "../disturbance.ts";
import { UsageError } from "../options.mjs";
import { contestants } from "./contestants.ts";
import { checkWhole, type PeerOptions } from "./options.mjs";
import type { PeerReport } from "./report.ts";
import { competes, workloads } from "./workloads.ts";

const PUBLISHED = "bench/results/peers.json";

/** `file` holds the report and all measurements; it is named where publishing is refused. Errors: UsageError. */
export function publish(
  report: PeerReport,
  file: string,
  { evenIfDisturbed }: Pick<PeerOptions, "evenIfDisturbed">,
  published = PUBLISHED,
): void {
  requireWhole(report);
  const last = existsSync(published) ? readReport(published) : undefined;
  const disturbance = describeDisturbance(report, last);
  if (disturbance && !evenIfDisturbed) {
    console.error(
      `\nNot published, ${file} keeps the results: ${disturbance}. Run it again when nothing else runs, or publish ` +
        `these by --publish --from ${file} --even-if-disturbed, which says so.`,
    );
    process.exitCode = 1;
    return;
  }
  mkdirSync(dirname(published), { recursive: true });
  const summary = { ...report, ...(disturbance ? { disturbance } : {}) };
  writeFileSync(published, `${JSON.stringify(summary, null, 2)}\n`);
}

/** Without the measurements of a raw file. Errors: UsageError. */
export function readReport(file: string): PeerReport {
  try {
    const { measurements, ...report } = JSON.parse(readFileSync(file, "utf8"));
    if (!Array.isArray(report.results)) throw new Error("no results");
    return report;
  } catch (error) {
    throw new UsageError(`Expected results of bench:peers in ${file}: ${(error as Error).message}.`);
  }
}

function requireWhole({ rounds, quick, results }: PeerReport): void {
  const all = workloads.flatMap((workload) =>
    contestants.filter((contestant) => competes(workload, contestant)),
  ).length;
  const figures = results.filter(({ values, failure }) => failure !== undefined || values.length >= rounds).length;
  checkWhole({ rounds, quick, parts: figures < all ? [`${figures} of ${all} figures`] : [] });
}
