// README's benchmark table from bench/results/latest.json: printed, or with --write put between README's markers.
import { readFileSync, writeFileSync } from "node:fs";
import {
  byWorkload,
  caution,
  describeAbsence,
  describeCaution,
  describeMachine,
  describeSpread,
  formatRate,
  speedUp,
} from "./print.ts";
import type { Report, Result } from "./workload.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

/** The contestants that have a column, each under the names that it goes by. */
const COLUMNS: Record<string, readonly string[]> = {
  "plain JS": ["naive", "Math"],
  "tuned JS": ["tuned"],
  simdgrad: ["simdgrad"],
  infer: ["simdgrad/infer"],
  relaxed: ["simdgrad, relaxed"],
  "2 threads": ["simdgrad, 2 threads"],
};

const report: Report = JSON.parse(readFileSync("bench/results/latest.json", "utf8"));
const table = `${rows(report).join("\n")}\n\n${describeMachine(report)}.${describeSpread(report)}${describeCaution(report)}`;

if (process.argv.includes("--write")) {
  const readme = readFileSync("README.md", "utf8");
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`Expected ${START} and then ${END} in README.md.`);
  writeFileSync("README.md", `${readme.slice(0, start + START.length)}\n${table}\n${readme.slice(end)}`);
} else {
  console.log(table);
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
    return result?.median ? `${caution(result)}${formatRate(result.median)}` : "";
  });
  const against = (column: string) => {
    const [ours, other] = [find(group, "simdgrad"), find(group, column)];
    const times = ours && other && speedUp(ours, other);
    return times ? `${caution(ours, other)}${times.toFixed(times < 10 ? 1 : 0)}x` : "";
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
    return [`${caution(ours, limit)}${((100 * ours.median) / limit.median).toFixed(0)} %`];
  });
  return parts.join(", ");
}

function named(result: Result): string {
  const { contestant, median } = result;
  return `${contestant}: ${median === null ? describeAbsence(result) : `${caution(result)}${formatRate(median)}`}`;
}
