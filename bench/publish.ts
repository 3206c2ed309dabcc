// From results to the published ones, which README's tables are made of.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "../scripts/usage.mjs";
import { describeDisturbance } from "./disturbance.ts";
import { checkWhole, type Options } from "./options.mjs";
import type { Report } from "./workload.ts";
import { workloads } from "./workloads.ts";

const LATEST = "bench/results/latest.json";
const NODE_MAJOR = 24;

/** `file` holds the report and all measurements; it is named where publishing is refused. Errors: UsageError. */
export function publish(
  report: Report,
  file: string,
  options: Pick<Options, "evenIfDisturbed">,
  published = LATEST,
): void {
  const all = workloads.flatMap(({ contestants }) => Object.keys(contestants)).length;
  const there = report.results.filter(({ values, median }) => median !== null && values.length >= report.rounds).length;
  checkWhole({ ...report, parts: describeParts(report, there, all) });
  replace(published, report, file, options);
}

/** What is less than whole: figures, and Node. */
export function describeParts({ versions: { node } }: Report, there: number, all: number): string[] {
  return [
    ...(there < all ? [`${there} of ${all} figures`] : []),
    ...(Number.parseInt(node, 10) < NODE_MAJOR ? [`Node ${node}`] : []),
  ];
}

/** Errors: UsageError, where the machine was disturbed. */
export function replace(
  published: string,
  report: Report,
  file: string,
  { evenIfDisturbed }: Pick<Options, "evenIfDisturbed">,
): void {
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
export function readReport<R extends Report = Report>(file: string): R {
  try {
    const { measurements, ...report } = JSON.parse(readFileSync(file, "utf8"));
    if (!Array.isArray(report.results)) throw new Error("no results");
    return report;
  } catch (error) {
    throw new UsageError(`Expected results of a benchmark in ${file}, received: ${(error as Error).message}.`);
  }
}
