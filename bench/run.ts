// Runs every contestant of every workload in a fresh process, variants side by side, the order reversed each round.
// Options: see options.mjs. A contestant that fails leaves its reason in place of a figure. Everything measured is kept
// in build/bench from the first contestant on; a signal ends the run, which then shows what it has.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { orUsage } from "../scripts/usage.mjs";
import { describeCpu } from "./cpu.ts";
import { isDisturbed, summarise } from "./disturbance.ts";
import { ContestantError } from "./failure.ts";
import { Meter } from "./meter.ts";
import { choose, readOptions } from "./options.mjs";
import { printReport } from "./print.ts";
import { runContestant, untilInterrupted } from "./processes.ts";
import { publish, readReport } from "./publish.ts";
import type { Measurement, Report, Result, Workload } from "./workload.ts";
import { workloads } from "./workloads.ts";

declare const VERSIONS: Record<string, string>;

type Figures = Omit<Measurement, "check"> & { round: number };

interface Pair {
  workload: Workload;
  name: string;
  /** One a round; without a rate where the engine lacks what it needs. */
  measurements: Figures[];
  failure?: string;
}

const options = readOptions(process.argv.slice(2));
const milliseconds = options.quick ? 200 : 1000;
const meter = new Meter(options.quick ? 1 : 3);
const date = new Date().toISOString();
const rawFile = `build/bench/results-${date.replaceAll(":", "-")}.json`;
const references = new Map<Workload, number[]>();
let pairs: readonly Pair[] = [];

const { from } = options;
await orUsage(() => (from === undefined ? measureAll() : publish(readReport(from), from, options)));

async function measureAll(): Promise<void> {
  pairs = choose("--only", workloads, options.only).flatMap((workload) =>
    Object.keys(workload.contestants).map((name) => ({ workload, name, measurements: [] })),
  );
  await untilInterrupted(rawFile, async () => {
    for (let round = 0; round < options.rounds; round++) await runRound(round);
  });
  const report = save();
  if (report.results.length > 0) printReport(report);
  if (options.publish && !process.exitCode) publish(report, rawFile, options);
  if (pairs.some(({ failure }) => failure)) process.exitCode ??= 1;
}

async function runRound(round: number): Promise<void> {
  for (const pair of round % 2 === 0 ? pairs : pairs.toReversed()) {
    if (pair.failure) continue;
    console.error(`round ${round + 1} of ${options.rounds}: ${pair.workload.name}, ${pair.name}`);
    try {
      const { check, ...figures } = await meter.measure(() =>
        runContestant(pair.workload.name, pair.name, milliseconds),
      );
      if (figures.rate !== null) await compare(pair, check);
      pair.measurements.push({ round, ...figures });
    } catch (error) {
      if (!(error instanceof ContestantError)) throw error;
      pair.failure = error.message;
      console.error(`  ${error.message}`);
    }
    save();
  }
}

/** Errors: ContestantError when its first results are not the reference's. */
async function compare({ workload, name }: Pair, check: readonly number[]): Promise<void> {
  const { reference, tolerance = 0 } = workload;
  if (!reference) return;
  let expected = references.get(workload);
  if (!expected) {
    expected = name === reference ? [...check] : (await runContestant(workload.name, reference, 0)).check;
    references.set(workload, expected);
  }
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) {
    if (Math.abs(check[i] - value) <= tolerance * largest) continue;
    throw new ContestantError(`result ${i} is ${check[i]}, expected ${value}`);
  }
}

/** What is known so far; in the file every measurement stands beside it. */
function save(): Report {
  const tried = pairs.filter(({ measurements, failure }) => measurements.length > 0 || failure);
  const report: Report = {
    date,
    versions: { node: process.versions.node, v8: process.versions.v8, ...VERSIONS },
    cpu: describeCpu(),
    cores: cpus().length,
    platform: `${process.platform} ${process.arch}`,
    rounds: Math.max(0, ...pairs.map(({ measurements }) => measurements.length)),
    quick: options.quick,
    results: tried.map(resultOf),
  };
  const measurements = tried.flatMap(({ workload, name, measurements }) =>
    measurements.map((figures) => ({
      workload: workload.name,
      contestant: name,
      ...figures,
      disturbed: isDisturbed(figures, meter.bestControl),
    })),
  );
  writeFileSync(rawFile, `${JSON.stringify({ ...report, measurements }, null, 2)}\n`);
  return report;
}

function resultOf({ workload: { name, title, unit }, name: contestant, measurements, failure }: Pair): Result {
  const head = { workload: name, title, unit, contestant, ...summarise(measurements, meter.bestControl) };
  return failure ? { ...head, median: null, spread: null, failure } : head;
}
