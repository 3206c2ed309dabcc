// Results as text: a table a workload on the terminal, and the pieces that README's table shares.
import { disturbedFigures, isSingle, isUnsound, spreadOf } from "./disturbance.ts";
import { median } from "./median.mjs";
import { higherIsBetter, type Report, type Result } from "./workload.ts";

/** Three significant digits or so many, thousands grouped. */
export function formatRate(value: number, significant = 3): string {
  const exponent = Math.floor(Math.log10(value));
  const digits = Math.max(0, significant - 1 - exponent);
  const unit = 10 ** (exponent - significant + 1);
  return (Math.round(value / unit) * unit).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** What comes of these results, marked where one of them rests on rounds in which the machine was not itself, or on a
 *  single one. */
export function mark(text: string, ...results: readonly Result[]): string {
  return `${results.some(isUnsound) ? "~" : ""}${text}${results.some(isSingle) ? "¹" : ""}`;
}

/** Why there is no figure. */
export function describeAbsence({ failure }: Result): string {
  return failure ? `failed: ${failure}` : "not on this engine";
}

/** How far the machine was itself, in one sentence; nothing where it was. */
export function describeCaution(report: Report): string {
  const count = disturbedFigures(report);
  const sentence =
    report.disturbance ?? `the cores were slow or busy in all rounds of ${count} of ${report.results.length} figures`;
  const marked = count > 0 ? ", marked ~" : "";
  return report.disturbance || count > 0 ? ` ${sentence[0].toUpperCase()}${sentence.slice(1)}${marked}.` : "";
}

/** How many times faster `a` is than `b`. */
export function speedUp(a: Result, b: Result): number | null {
  if (a.median === null || b.median === null) return null;
  return higherIsBetter(a.unit) ? a.median / b.median : b.median / a.median;
}

export function byWorkload(results: readonly Result[]): Result[][] {
  const names = new Set(results.map(({ workload }) => workload));
  return [...names].map((name) => results.filter(({ workload }) => workload === name));
}

/** Where and with what a report was measured, in one sentence. */
export function describeMachine({ date, versions, cpu, cores, platform, rounds }: Report): string {
  const { node, v8, ...packages } = versions;
  const names = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    `Node ${node} (V8 ${v8})`,
    ...names,
    `${cpu}, ${cores} cores, ${platform}`,
    `${date.slice(0, 10)}`,
    `median of ${rounds} round${rounds === 1 ? "" : "s"}, but for those in which a core was slow or busy; one thread unless said`,
  ].join("; ");
}

/** How far the rounds of a figure lie apart, and how many have but one that counts; nothing after a single round. */
export function describeSpread({ results, rounds }: Report): string {
  const all = results.flatMap(({ values }) => spreadOf(values) ?? []);
  if (rounds < 2 || all.length === 0) return "";
  // Results of one round that counts were once published with a spread of 0.
  const counted = results.filter((result) => !isSingle(result)).flatMap(({ spread }) => spread ?? []);
  const single = results.filter(isSingle).length;
  const parts = [
    ...(counted.length > 0 ? [`Where two rounds or more count, they lie ${apart(counted)}`] : []),
    ...(single > 0 ? [`${single} of ${results.length} figures rest on a single round, marked ¹`] : []),
    `All rounds, the disturbed ones too, lie ${apart(all)}`,
  ];
  return parts.map((part) => ` ${part}.`).join("");
}

function apart(spreads: readonly number[]): string {
  const percent = (spread: number) => `${(100 * spread).toFixed(0)} %`;
  return `${percent(median(spreads))} apart in the median, ${percent(Math.max(...spreads))} at most`;
}

export function printReport(report: Report): void {
  console.log(describeMachine(report));
  for (const results of byWorkload(report.results)) {
    console.log(`\n${results[0].title.replaceAll("`", "")} (${results[0].unit})`);
    for (const result of results) console.log(`  ${line(result, results)}`);
  }
}

function line(result: Result, results: readonly Result[]): string {
  const name = result.contestant.padEnd(Math.max(...results.map(({ contestant }) => contestant.length)));
  if (result.median === null) return `${name} ${describeAbsence(result)}`;
  const ratios = results
    .filter((other) => other !== result)
    .map((other) => [other.contestant, speedUp(result, other)] as const)
    .map(([other, ratio]) => (ratio === null ? "" : `${ratio.toFixed(2)}x ${other}`));
  const spread = (result.spread === null ? "one round" : `spread ${(100 * result.spread).toFixed(0)} %`).padEnd(14);
  const warning = result.disturbed
    ? `  (core slow or busy in ${result.disturbed} of ${result.values.length} rounds)`
    : "";
  return `${name} ${formatRate(result.median).padStart(11)}  ${spread} ${ratios.filter(Boolean).join("  ")}${warning}`;
}
