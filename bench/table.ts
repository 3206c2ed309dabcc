// README's benchmark table from bench/results/latest.json: printed, or with --write put between README's markers.
import { readFileSync, writeFileSync } from "node:fs";
import { byWorkload, describeMachine, formatRate, speedUp } from "./print.ts";
import type { Report, Result } from "./workload.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

const report: Report = JSON.parse(readFileSync("bench/results/latest.json", "utf8"));
const disturbed = report.results.filter(({ disturbed }) => disturbed > 0).length;
const caution = disturbed ? ` The core was slow or busy during ${disturbed} of ${report.results.length} figures.` : "";
const table = `${rows(report).join("\n")}\n\n${describeMachine(report)}.${caution}`;

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
  const compared = groups.filter((group) => group.some(({ contestant }) => contestant === "simdgrad"));
  const others = groups.filter((group) => !compared.includes(group));
  return [
    "| | unit | plain JS | tuned JS | simdgrad | against plain | against tuned |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...compared.map(comparison),
    "",
    "| | unit | |",
    "|---|---|---|",
    ...others.map((group) => `| ${group[0].title} | ${group[0].unit} | ${group.map(named).join(", ")} |`),
  ];
}

function comparison(group: readonly Result[]): string {
  const find = (...names: string[]) => group.find(({ contestant }) => names.includes(contestant));
  const simdgrad = find("simdgrad");
  const plain = find("naive", "Math");
  const tuned = find("tuned");
  const rate = (result?: Result) => (result?.median ? formatRate(result.median) : "");
  const ratio = (other?: Result) => {
    const times = simdgrad && other && speedUp(simdgrad, other);
    return times ? `${times.toFixed(times < 10 ? 1 : 0)}x` : "";
  };
  const cells = [group[0].title, group[0].unit, rate(plain), rate(tuned), rate(simdgrad), ratio(plain), ratio(tuned)];
  return `| ${cells.join(" | ")} |`;
}

function named({ contestant, median }: Result): string {
  return `${contestant}: ${median === null ? "not on this engine" : formatRate(median)}`;
}
