// Runs every contestant of every workload in a fresh process, variants side by side, the order reversed each round.
// Options: --rounds N (3), --only TEXT (workloads whose name contains it, repeatable), --quick (one short round),
// --publish (the results also become bench/results/latest.json).
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { printReport } from "./print.ts";
import type { Measurement, Report, Result, Workload } from "./workload.ts";
import { workloads } from "./workloads.ts";

declare const VERSIONS: Record<string, string>;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    publish: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`Expected --rounds >= 1, received ${options.rounds}.`);
const milliseconds = options.quick ? 200 : 1000;
/** How often a contestant is measured in a round when the core is slow or busy. */
const ATTEMPTS = options.quick ? 1 : 3;
const only = options.only;
const chosen = workloads.filter(({ name }) => !only || only.some((text) => name.includes(text)));
if (chosen.length === 0) throw new Error(`Expected --only to name one of: ${workloads.map((w) => w.name).join("; ")}.`);

const pairs = chosen.flatMap((workload) => Object.keys(workload.contestants).map((name) => ({ workload, name })));
const references = new Map<Workload, number[]>();
const measured = new Map(pairs.map((pair) => [pair, [] as Measurement[]]));
let bestControl = 0;

for (let round = 0; round < rounds; round++) {
  for (const pair of round % 2 === 0 ? pairs : pairs.toReversed()) {
    const { workload, name } = pair;
    console.error(`round ${round + 1} of ${rounds}: ${workload.name}, ${name}`);
    const measurement = runUndisturbed(workload, name);
    if (measurement.rate === null) continue;
    compare(workload, name, measurement.check);
    measured.get(pair)?.push(measurement);
  }
}

const report: Report = {
  date: new Date().toISOString(),
  versions: { node: process.versions.node, v8: process.versions.v8, ...VERSIONS },
  cpu: cpus()[0].model.trim(),
  cores: cpus().length,
  platform: `${process.platform} ${process.arch}`,
  rounds,
  quick: options.quick,
  results: pairs.map((pair) => summarise(pair.workload, pair.name, measured.get(pair) ?? [])),
};
const json = `${JSON.stringify(report, null, 2)}\n`;
writeFileSync(`build/bench/results-${report.date.replaceAll(":", "-")}.json`, json);
if (options.publish) {
  mkdirSync("bench/results", { recursive: true });
  writeFileSync("bench/results/latest.json", json);
}
printReport(report);

/** Shared machines have slow phases, and others take the core: such a measurement is made again, whatever it says. */
function runUndisturbed(workload: Workload, name: string): Measurement {
  let best = runContestant(workload, name, milliseconds);
  for (let attempt = 1; attempt < ATTEMPTS && isDisturbed(best); attempt++) {
    const next = runContestant(workload, name, milliseconds);
    if (next.control * next.share > best.control * best.share) best = next;
  }
  return best;
}

function isDisturbed({ rate, control, share }: Measurement): boolean {
  bestControl = Math.max(bestControl, control);
  return rate !== null && (control < 0.85 * bestControl || share < 0.9);
}

function runContestant(workload: Workload, name: string, time: number): Measurement {
  const script = fileURLToPath(new URL("./contestant.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, workload.name, name, String(time)], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${workload.name}, ${name} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Throws when a contestant's first results are not the reference's. */
function compare(workload: Workload, name: string, check: number[]): void {
  const { reference, tolerance = 0 } = workload;
  if (!reference) return;
  let expected = references.get(workload);
  if (!expected) {
    expected = name === reference ? check : runContestant(workload, reference, 0).check;
    references.set(workload, expected);
  }
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) {
    if (!(Math.abs(check[i] - value) <= tolerance * largest)) {
      throw new Error(`${workload.name}, ${name}: expected result ${i} to be ${value}, received ${check[i]}.`);
    }
  }
}

function summarise({ name, title, unit }: Workload, contestant: string, measurements: Measurement[]): Result {
  const values = measurements.flatMap(({ rate }) => (rate === null ? [] : [rate]));
  const disturbed = measurements.filter(isDisturbed).length;
  const head = { workload: name, title, unit, contestant, values, disturbed };
  if (values.length === 0) return { ...head, median: null, spread: null };
  const sorted = values.toSorted((a, b) => a - b);
  const last = sorted.length - 1;
  const median = (sorted[Math.floor(last / 2)] + sorted[Math.ceil(last / 2)]) / 2;
  return { ...head, median, spread: (sorted[last] - sorted[0]) / median };
}
