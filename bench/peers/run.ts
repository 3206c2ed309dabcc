// Every contestant at every workload, a fresh process each, the order reversed each round. A contestant that fails
// leaves its reason in the table.
// Options: --rounds N (3), --only TEXT (contestants whose name contains it, repeatable), --work TEXT (workloads, the
// same), --quick (one short round), --publish (the summary also becomes bench/results/peers.json).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { createNaive } from "../baselines/naive.ts";
import { createBaseline, createBatches } from "../workloads/networks.ts";
import { type Contestant, contestants } from "./contestants.ts";
import { markdown } from "./markdown.ts";
import { ContestantError, measureLimit, runContestant, type Versioned } from "./processes.ts";
import type { PeerReport, PeerResult, RawMeasurement } from "./report.ts";
import { competes, DIGITS_ACCURACY, type PeerWorkload, TOLERANCE, workloads } from "./workloads.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    work: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    publish: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`Expected --rounds >= 1, received ${options.rounds}.`);
const milliseconds = options.quick ? 200 : 1000;
/** How often a contestant is measured in a round when the core is slow or busy. */
const ATTEMPTS = options.quick ? 1 : 3;

interface Pair {
  workload: PeerWorkload;
  contestant: Contestant;
  measurements: RawMeasurement[];
  failure?: string;
}

const pairs = choose(workloads, options.work).flatMap((workload) =>
  choose(contestants, options.only)
    .filter((contestant) => competes(workload, contestant))
    .map((contestant): Pair => ({ workload, contestant, measurements: [] })),
);
const date = new Date().toISOString();
const references = new Map<PeerWorkload, number[]>();
const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 };
const limits: { strict: (number | null)[]; relaxed: (number | null)[] } = { strict: [], relaxed: [] };
let bestControl = 0;

for (let round = 0; round < rounds; round++) {
  limits.strict.push(measureLimit("mul + add", milliseconds));
  limits.relaxed.push(measureLimit("relaxed_madd", milliseconds));
  for (const pair of round % 2 === 0 ? pairs : pairs.toReversed()) {
    if (pair.failure) continue;
    console.error(`round ${round + 1} of ${rounds}: ${pair.workload.name}, ${pair.contestant.name}`);
    attempt(pair, round);
  }
  save();
}
finish(save());

function finish(report: PeerReport): void {
  if (options.publish) {
    mkdirSync("bench/results", { recursive: true });
    write("bench/results/peers.json", report);
  }
  console.log(markdown(report));
}

/** What is known so far; every measurement is kept beside it. */
function save(): PeerReport {
  const report: PeerReport = {
    date,
    versions: { ...versions, ...packageVersions() },
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    platform: `${process.platform} ${process.arch}`,
    rounds: limits.strict.length,
    quick: options.quick,
    limits: { strict: median(limits.strict), relaxed: median(limits.relaxed) },
    results: pairs.map(summarise),
  };
  const measurements = pairs.flatMap((pair) => pair.measurements);
  write(`.cache/peers/results-${date.replaceAll(":", "-")}.json`, { ...report, measurements });
  return report;
}

function choose<T extends { name: string }>(all: readonly T[], texts: readonly string[] | undefined): readonly T[] {
  const chosen = all.filter(({ name }) => !texts || texts.some((text) => name.includes(text)));
  if (chosen.length === 0) throw new Error(`Expected one of: ${all.map(({ name }) => name).join("; ")}.`);
  return chosen;
}

function attempt(pair: Pair, round: number): void {
  const { workload, contestant, measurements } = pair;
  try {
    const { versions: found, ...measurement } = runUndisturbed(pair);
    requireRight(workload, measurement.check);
    Object.assign(versions, found);
    measurements.push({ round, workload: workload.name, contestant: contestant.name, ...measurement });
  } catch (error) {
    if (!(error instanceof ContestantError)) throw error;
    pair.failure = error.message;
    console.error(`  ${error.message}`);
  }
}

function runUndisturbed({ workload, contestant }: Pair): Versioned {
  let best = runContestant(workload, contestant, milliseconds);
  for (let attempt = 1; attempt < ATTEMPTS && isDisturbed(best); attempt++) {
    const next = runContestant(workload, contestant, milliseconds);
    if (next.control * next.share > best.control * best.share) best = next;
  }
  return best;
}

function isDisturbed({ control, share }: Versioned): boolean {
  bestControl = Math.max(bestControl, control);
  return control < 0.85 * bestControl || share < 0.9;
}

/** Losses and outputs against the float64 sums of the plain-JavaScript network, as many as the contestant gave. */
function requireRight(workload: PeerWorkload, check: readonly number[]): void {
  if (workload.kind === "digits") {
    if (check[0] >= DIGITS_ACCURACY) return;
    throw new ContestantError(`test accuracy ${check[0].toFixed(3)}, expected ${DIGITS_ACCURACY}`);
  }
  const expected = reference(workload);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of check.entries()) {
    if (Math.abs(value - expected[i]) <= TOLERANCE * largest) continue;
    throw new ContestantError(`result ${i} is ${value}, expected ${expected[i]}`);
  }
}

function reference(workload: PeerWorkload): number[] {
  const { kind, task } = workload;
  const known = references.get(workload);
  if (known) return known;
  const network = createBaseline(createNaive, task);
  const { x, labels } = createBatches(task);
  const expected =
    kind === "step"
      ? [0, 1, 2].map((t) => network.step(x[t], labels[t], task.batch))
      : Array.from(network.forward(x[0], task.batch));
  references.set(workload, expected);
  return expected;
}

function summarise({ workload, contestant, measurements, failure }: Pair): PeerResult {
  const { name, title, unit, kind } = workload;
  const values = measurements.flatMap(({ rate }) => (rate === null ? [] : [rate]));
  const middle = median(values);
  return {
    workload: name,
    title,
    unit,
    contestant: contestant.name,
    values,
    median: middle,
    spread: middle && (Math.max(...values) - Math.min(...values)) / middle,
    disturbed: measurements.filter(isDisturbed).length,
    ...(failure ? { failure } : {}),
    ...(kind === "digits"
      ? { accuracy: measurements.map(({ check }) => check[0]), firstSeconds: measurements.map(({ check }) => check[1]) }
      : {}),
  };
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const last = sorted.length - 1;
  return last < 0 ? null : (sorted[Math.floor(last / 2)] + sorted[Math.ceil(last / 2)]) / 2;
}

function packageVersions(): Record<string, string> {
  const names = new Set(pairs.flatMap(({ contestant }) => contestant.packages ?? []));
  const places = [["simdgrad", "."], ...[...names].map((name) => [name, `.cache/peers/node_modules/${name}`])];
  return Object.fromEntries(
    places.flatMap(([name, folder]) => {
      try {
        return [[name, JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).version]];
      } catch {
        return [];
      }
    }),
  );
}

function write(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
