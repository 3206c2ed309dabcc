// One contestant in a process of its own: node contestant.mjs WORKLOAD CONTESTANT MILLISECONDS. Checks it, lets
// tinybench time it, prints a Measurement as JSON. With 0 milliseconds it is only checked.
import { Bench } from "tinybench";
import { loadControl } from "./control.ts";
import { watchCores } from "./cores.ts";
import { higherIsBetter, type Measurement, type Trial, type Unit } from "./workload.ts";
import { workloads } from "./workloads.ts";

/** Samples shorter than this are made of several runs: the clock then costs nothing. */
const SAMPLE_MS = 1;

const [workloadName, contestantName, milliseconds] = process.argv.slice(2);
const workload = workloads.find(({ name }) => name === workloadName);
const create = workload?.contestants[contestantName];
if (!workload || !create) throw new Error(`Expected a workload and a contestant, received ${process.argv.slice(2)}.`);

const trial = create();
const check = (await trial?.check?.()) ?? [];
const measurement: Measurement = { rate: null, samples: 0, check, control: 0, share: 1 };
if (trial && Number(milliseconds) > 0) {
  const before = controlRate();
  const shareOfCores = watchCores(trial.lanes ?? 1);
  Object.assign(measurement, await measure(trial, workload.unit));
  if (!trial.elsewhere) measurement.share = shareOfCores();
  measurement.control = Math.min(before, controlRate());
}
console.log(JSON.stringify(measurement));

/** Median GFLOPS of the control loop over some 10 ms. */
function controlRate(): number {
  const loop = loadControl("control");
  if (!loop) return 0;
  const n = 50_000;
  const rates = Array.from({ length: 101 }, () => {
    const start = performance.now();
    loop(n);
    return (96 * n) / (performance.now() - start) / 1e6;
  });
  return rates.sort((a, b) => a - b)[50];
}

async function measure(trial: Trial, unit: Unit): Promise<Pick<Measurement, "rate" | "samples">> {
  const time = Number(milliseconds);
  const first = await warm(trial, 0);
  const { msPerRun } = first.msPerRun < time / 2 ? await warm(trial, time / 2) : first;
  // `prepare` stands before every single run, so such a trial is never grouped.
  const runs = trial.prepare ? 1 : Math.max(1, Math.round(SAMPLE_MS / msPerRun));
  const group = first.isAsync
    ? async () => {
        for (let i = 0; i < runs; i++) await trial.run();
      }
    : () => {
        for (let i = 0; i < runs; i++) trial.run();
      };
  const bench = new Bench({ time, iterations: 3, warmup: false, throws: true });
  bench.add(workloadName, group, { async: first.isAsync, beforeEach: trial.prepare });
  const [task] = await bench.run();
  if (task.result.state !== "completed") throw new Error(`Expected a completed run, received ${task.result.state}.`);
  const seconds = task.result.latency.p50 / 1000 / (runs * trial.units);
  return { rate: convert(seconds, unit), samples: task.result.latency.samplesCount };
}

/** Runs until `time` has passed, at least once. */
async function warm(trial: Trial, time: number): Promise<{ msPerRun: number; isAsync: boolean }> {
  const start = performance.now();
  let runs = 0;
  let isAsync = false;
  do {
    trial.prepare?.();
    const result = trial.run();
    if (result instanceof Promise) {
      isAsync = true;
      await result;
    }
    runs++;
  } while (performance.now() - start < time);
  return { msPerRun: (performance.now() - start) / runs, isAsync };
}

function convert(secondsPerUnit: number, unit: Unit): number {
  if (!higherIsBetter(unit)) return secondsPerUnit * (unit === "ms" ? 1e3 : 1e9);
  return unit === "GFLOPS" ? 1e-9 / secondsPerUnit : 1 / secondsPerUnit;
}
