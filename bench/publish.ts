// From results to bench/results/latest.json, which README's table is made of.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeDisturbance } from "./disturbance.ts";
import { checkWhole, type Options, UsageError } from "./options.mjs";
import type { Report } from "./workload.ts";
import { workloads } from "./workloads.ts";

const LATEST = "bench/results/latest.json";
const NODE_MAJOR = 24;

/** `file` holds the report and all measurements; it is named where publishing is refused. Errors: UsageError. */
export function publish(
  report: Report,
  file: string,
  { evenIfDisturbed }: Pick<Options, "evenIfDisturbed">,
  published = LATEST,
): void {
  requireWhole(report);
  const disturbance = describeDisturbance(report, existsSync(published) ? readReport(published) : undefined);
  if (disturbance && !evenIfDisturbed)
    throw new UsageError(
      `Not published, ${file} keeps the results: ${disturbance}. Run it again when nothing else runs, or publish ` +
        `these by --publish --from ${file} --even-if-disturbed, which says so.`,
    );
  mkdirSync(dirname(published), { recursive: true });
  const summary = { ...report, ...(disturbance ? { disturbance } : {}) };
  writeFileSync(published, `${JSON.stringify(summary, null, 2)}\n`);
}

/** Without the measurements of a raw file. Errors: UsageError. */
export function readReport(file: string): Report {
  try {
    const { measurements, ...report } = JSON.parse(readFileSync(file, "utf8"));
    if (!Array.isArray(report.results)) throw new Error("no results");
    return report;
  } catch (error) {
    throw new UsageError(`Expected results of npm run bench in ${file}, received: ${(error as Error).message}.`);
  }
}

function requireWhole({ rounds, quick, results, versions: { node } }: Report): void {
  const all = workloads.flatMap(({ contestants }) => Object.keys(contestants)).length;
  const figures = results.filter(({ values, median }) => median !== null && values.length >= rounds).length;
  const parts = [
    ...(figures < all ? [`${figures} of ${all} figures`] : []),
    ...(Number.parseInt(node, 10) < NODE_MAJOR ? [`Node ${node}`] : []),
  ];
  checkWhole({ rounds, quick, parts });
}
