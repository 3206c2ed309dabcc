// Whether the machine was itself while it measured. Shared machines have slow phases, and others take the cores.
import type { Measurement, Report } from "./workload.ts";

/** Least share of the best control loop, and of the processor time of the lanes that ought to run. */
const CONTROL = 0.85;
const SHARE = 0.9;
/** Most figures of a published report that are disturbed. */
const FIGURES = 0.1;

type Figures = Pick<Measurement, "rate" | "control" | "share">;

export function isDisturbed({ rate, control, share }: Figures, bestControl: number): boolean {
  return rate !== null && (control < CONTROL * bestControl || share < SHARE);
}

/** How many figures have a round in which every attempt was disturbed. */
export function disturbedFigures({ results }: Pick<Report, "results">): number {
  return results.filter(({ disturbed }) => disturbed > 0).length;
}

/** What speaks against publishing a report in place of the last one, as one sentence; nothing where it is sound. */
export function describeDisturbance(report: Report, last: Report | undefined): string | undefined {
  const count = disturbedFigures(report);
  const reasons = [
    ...(count > FIGURES * report.results.length ? [`${count} of ${report.results.length} figures`] : []),
    ...slowness(report, last),
  ];
  return reasons.length > 0 ? `the machine was disturbed: ${reasons.join("; ")}` : undefined;
}

function slowness(report: Report, last: Report | undefined): string[] {
  const [now, before] = [controlOf(report), last && controlOf(last)];
  const isSameMachine = last?.cpu === report.cpu && last.cores === report.cores;
  if (!now || !before || !isSameMachine || now >= CONTROL * before) return [];
  return [`its control loop ran at ${now.toFixed(1)} GFLOPS, at ${before.toFixed(1)} when last published`];
}

function controlOf({ results, limits }: Report): number | null | undefined {
  return limits?.strict ?? results.find(({ contestant }) => contestant === "mul + add")?.median;
}
