// A report as README's tables: what simdgrad is compared in, then the rest, then where and how it was measured.
import {
  byWorkload,
  describeAbsence,
  describeCaution,
  describeMachine,
  describeSpread,
  formatRate,
  mark,
  speedUp,
} from "./print.ts";
import type { Report, Result } from "./workload.ts";

/** The contestants that have a column, each under the names that it goes by. */
const COLUMNS: Record<string, readonly string[]> = {
  "plain JS": ["naive", "Math"],
  "tuned JS": ["tuned"],
  simdgrad: ["simdgrad"],
  infer: ["simdgrad/infer"],
  relaxed: ["simdgrad, relaxed"],
  "2 threads": ["simdgrad, 2 threads"],
};

export function markdown(report: Report): string {
  const circumstances = `${describeMachine(report)}.${describeSpread(report)}${describeCaution(report)}`;
  return [...rows(report), "", circumstances].join("\n");
}

function rows({ results }: Report): string[] {
  const groups = byWorkload(results);
  const compared = groups.filter((group) => find(group, "simdgrad"));
  const others = groups.filter((group) => !compared.includes(group));
  const limits = groups.find(([{ workload }]) => workload === "control") ?? [];
  const head = ["", "unit", ...Object.keys(COLUMNS), "against plain", "against tuned", "of the limit"];
  return [
    ...aligned(
      head,
      compared.map((group) => comparison(group, limits)),
    ),
    "",
    "| | unit | |",
    "|---|---|---|",
    ...others.map((group) => row([group[0].title, group[0].unit, group.map(named).join(", ")])),
  ];
}

/** Without the columns that no row fills, as those of kernels that the engine lacks. */
function aligned(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const isFilled = head.map((_, column) => body.some((cells) => cells[column] !== ""));
  const kept = (cells: readonly string[]) => row(cells.filter((_, column) => isFilled[column]));
  return [kept(head), kept(head.map((_, column) => (column < 2 ? "---" : "--:"))), ...body.map(kept)];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function find(group: readonly Result[], column: string): Result | undefined {
  return group.find(({ contestant }) => COLUMNS[column].includes(contestant));
}

function comparison(group: readonly Result[], limits: readonly Result[]): string[] {
  const rates = Object.keys(COLUMNS).map((column) => {
    const result = find(group, column);
    return result?.median ? mark(formatRate(result.median), result) : "";
  });
  const against = (column: string) => {
    const [ours, other] = [find(group, "simdgrad"), find(group, column)];
    const times = ours && other && speedUp(ours, other);
    return times ? mark(`${times.toFixed(times < 10 ? 1 : 0)}x`, ours, other) : "";
  };
  const { title, unit } = group[0];
  const ofLimit = unit === "GFLOPS" ? share(group, limits) : "";
  return [title, unit, ...rates, against("plain JS"), against("tuned JS"), ofLimit];
}

/** What the strict and the relaxed kernel make of the register loop of their kind. */
function share(group: readonly Result[], limits: readonly Result[]): string {
  const parts = [
    ["simdgrad", "mul + add"],
    ["relaxed", "relaxed_madd"],
  ].flatMap(([column, control]) => {
    const ours = find(group, column);
    const limit = limits.find(({ contestant }) => contestant === control);
    if (!ours?.median || !limit?.median) return [];
    return [mark(`${((100 * ours.median) / limit.median).toFixed(0)} %`, ours, limit)];
  });
  return parts.join(", ");
}

function named(result: Result): string {
  const { contestant, median } = result;
  return `${contestant}: ${median === null ? describeAbsence(result) : mark(formatRate(median), result)}`;
}
