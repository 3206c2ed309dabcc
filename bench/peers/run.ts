// Every contestant at every workload, a fresh process each, the order reversed each round. Options: see options.mjs. A
// contestant that fails leaves its reason in the table. Everything measured is kept in .cache/peers from the first
// contestant on; a signal ends the run, which then shows what it has.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { orUsage } from "../../scripts/usage.mjs";
import { createNaive } from "../baselines/naive.ts";
import { describeCpu } from "../cpu.ts";
import { summarise } from "../disturbance.ts";
import { ContestantError } from "../failure.ts";
import { Meter } from "../meter.ts";
import { untilInterrupted } from "../processes.ts";
import { readReport } from "../publish.ts";
import { createBaseline, createBatches } from "../workloads/networks.ts";
import { type Contestant, contestants } from "./contestants.ts";
import { LIMIT_LOOPS } from "./limits.ts";
import { markdown } from "./markdown.ts";
import { choosePairs, readPeerOptions } from "./options.mjs";
import { measureLimit, runContestant } from "./processes.ts";
import { publish } from "./publish.ts";
import type { Limits, PeerReport, PeerResult, RawMeasurement } from "./report.ts";
import { competes, DIGITS_ACCURACY, type PeerWorkload, TOLERANCE, workloads } from "./workloads.ts";

const options = readPeerOptions(process.argv.slice(2));
const milliseconds = options.quick ? 200 : 1000;
const meter = new Meter(options.quick ? 1 : 3);

interface Pair {
  workload: PeerWorkload;
  contestant: Contestant;
  measurements: RawMeasurement[];
  failure?: string;
}

const date = new Date().toISOString();
const rawFile = `.cache/peers/results-${date.replaceAll(":", "-")}.json`;
const references = new Map<PeerWorkload, number[]>();
const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 };
const limits: Record<keyof Limits, (number | null)[]> = { strict: [], relaxed: [], weights: [] };
let pairs: readonly Pair[] = [];

await orUsage(() =>
  options.from === undefined ? measureAll() : publish(readReport<PeerReport>(options.from), options.from, options),
);

async function measureAll(): Promise<void> {
  pairs = choosePairs(options, { contestants, workloads, competes }).map((pair) => ({ ...pair, measurements: [] }));
  await untilInterrupted(rawFile, async () => {
    for (let round = 0; round < options.rounds; round++) await runRound(round);
  });
  const report = save();
  if (report.results.length > 0) console.log(markdown(report));
  if (options.publish && !process.exitCode) publish(report, rawFile, options);
}

async function runRound(round: number): Promise<void> {
  for (const limit of ["strict", "relaxed", "weights"] as const) limits[limit].push(await limitRate(limit));
  for (const pair of round % 2 === 0 ? pairs : pairs.toReversed()) {
    if (pair.failure !== undefined) continue;
    console.error(`round ${round + 1} of ${options.rounds}: ${pair.workload.name}, ${pair.contestant.name}`);
    await attempt(pair, round);
    save();
  }
}

/** null where the engine lacks its instructions, or its process fails. */
async function limitRate(limit: keyof Limits): Promise<number | null> {
  try {
    return (await meter.measure(() => measureLimit(limit, milliseconds))).rate;
  } catch (error) {
    if (!(error instanceof ContestantError)) throw error;
    console.error(`No limit by ${LIMIT_LOOPS[limit]}: ${error.message}`);
    return null;
  }
}

/** What is known so far; every measurement is kept beside it. */
function save(): PeerReport {
  const tried = pairs.filter(({ measurements, failure }) => measurements.length > 0 || failure !== undefined);
  const report: PeerReport = {
    date,
    versions: { ...versions, ...packageVersions() },
    cpu: describeCpu(),
    cores: cpus().length,
    platform: `${process.platform} ${process.arch}`,
    rounds: Math.max(0, ...tried.map(({ measurements }) => measurements.length)),
    quick: options.quick,
    limits: { strict: largest(limits.strict), relaxed: largest(limits.relaxed), weights: largest(limits.weights) },
    results: tried.map(resultOf),
  };
  const measurements = pairs.flatMap((pair) => pair.measurements);
  writeFileSync(rawFile, `${JSON.stringify({ ...report, measurements }, null, 2)}\n`);
  return report;
}

async function attempt(pair: Pair, round: number): Promise<void> {
  const { workload, contestant, measurements } = pair;
  try {
    const run = () => runContestant(workload, contestant, milliseconds);
    const { versions: found, ...measurement } = await meter.measure(run);
    requireRight(workload, measurement.check);
    Object.assign(versions, found);
    measurements.push({ round, workload: workload.name, contestant: contestant.name, ...measurement });
  } catch (error) {
    if (!(error instanceof ContestantError)) throw error;
    pair.failure = error.message;
    console.error(`  ${error.message}`);
  }
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

function resultOf({ workload, contestant, measurements, failure }: Pair): PeerResult {
  const { name, title, unit, kind } = workload;
  return {
    workload: name,
    title,
    unit,
    contestant: contestant.name,
    ...summarise(measurements, meter.bestControl),
    ...(failure ? { failure } : {}),
    ...(kind === "digits"
      ? { accuracy: measurements.map(({ check }) => check[0]), firstSeconds: measurements.map(({ check }) => check[1]) }
      : {}),
  };
}

/** The most that was seen: no contestant is held against what a neighbour left of a core. */
function largest(rates: readonly (number | null)[]): number | null {
  const seen = rates.filter((rate) => rate !== null);
  return seen.length > 0 ? Math.max(...seen) : null;
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
