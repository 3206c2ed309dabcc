// Whether the machine was itself while it measured. Shared machines have slow phases, and others take the cores.
import { median } from "./median.mjs";
import type { Measurement, Report, Result } from "./workload.ts";

/** Least share of the best control loop, and of the processor time of the lanes that ought to run. */
const CONTROL = 0.85;
const SHARE = 0.9;
/** Most figures of a published report that are disturbed. */
const FIGURES = 0.1;

type Figures = Pick<Measurement, "rate" | "control" | "share">;

export function isDisturbed({ rate, control, share }: Figures, bestControl: number): boolean {
  return rate !== null && (control < CONTROL * bestControl || share < SHARE);
}

/** What the rounds of a contestant come to: those count in which the machine was itself, or all where it never was. */
export function summarise(
  measurements: readonly Figures[],
  bestControl: number,
): Pick<Result, "values" | "median" | "spread" | "disturbed"> {
  const present = measurements.filter(({ rate }) => rate !== null);
  const sound = present.filter((figures) => !isDisturbed(figures, bestControl));
  const values = present.map(({ rate }) => rate as number);
  const counted = (sound.length > 0 ? sound : present).map(({ rate }) => rate as number);
  const disturbed = present.length - sound.length;
  if (counted.length === 0) return { values, disturbed, median: null, spread: null };
  return { values, disturbed, median: median(counted), spread: spreadOf(counted) };
}

/** (largest - smallest) / median; null of less than two, which lie no distance apart by definition. */
export function spreadOf(values: readonly number[]): number | null {
  return values.length < 2 ? null : (Math.max(...values) - Math.min(...values)) / median(values);
}

type Rounds = Pick<Result, "disturbed" | "values">;

/** Without a round in which the machine was itself. */
export function isUnsound({ disturbed, values }: Rounds): boolean {
  return disturbed > 0 && disturbed === values.length;
}

/** With a single round that counts, of several: nothing tells how far the next one would lie from it. */
export function isSingle({ disturbed, values }: Rounds): boolean {
  return values.length > 1 && values.length - disturbed === 1;
}

/** How many figures are unsound. */
export function disturbedFigures({ results }: Pick<Report, "results">): number {
  return results.filter(isUnsound).length;
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
