// One contestant, one fresh process: ../contestant.ts in Node, or PyTorch's script.
import { mkdirSync, writeFileSync } from "node:fs";
import { readDigits } from "../../examples/digits/digits.ts";
import { createNaive } from "../baselines/naive.ts";
import { runProcess, runContestant as runScript } from "../processes.ts";
import type { Measurement } from "../workload.ts";
import { createBaseline, createBatches, type Task, taskName } from "../workloads/networks.ts";
import type { Contestant } from "./contestants.ts";
import { LIMIT_LOOPS } from "./limits.ts";
import type { Limits } from "./report.ts";
import type { PeerWorkload } from "./workloads.ts";

const CACHE = ".cache/peers";
const PYTHON = "/usr/bin/python3";
const SCRIPT = "bench/peers/contestants/pytorch.py";
const TIME_LIMIT_SECONDS = 60;
/** Debian's PyTorch takes any BLAS; its default is the reference one, at a fraction of the speed. */
const OPENBLAS = `${process.cwd()}/${CACHE}/openblas`;

export interface Versioned extends Measurement {
  versions?: Record<string, string>;
}

/** Errors: as those of runProcess. */
export async function runContestant(
  workload: PeerWorkload,
  contestant: Contestant,
  milliseconds: number,
): Promise<Versioned> {
  if (contestant.create) return runNode(workload.name, contestant.name, milliseconds);
  const before = await controlRate();
  const measurement = await runPython(workload, contestant, milliseconds);
  return { ...measurement, control: Math.min(before, await controlRate()) };
}

/** What one core does in a loop of its own; without a rate where the engine lacks its instructions. Errors:
 *  as those of runProcess. */
export function measureLimit(limit: keyof Limits, milliseconds: number): Promise<Versioned> {
  return runNode(limit === "weights" ? "bandwidth" : "control", LIMIT_LOOPS[limit], milliseconds);
}

/** The same loop as every contestant in Node measures beside itself. */
async function controlRate(): Promise<number> {
  return (await measureLimit("strict", 20)).control;
}

function runNode(workload: string, contestant: string, milliseconds: number): Promise<Versioned> {
  return runScript(workload, contestant, milliseconds, { seconds: TIME_LIMIT_SECONDS });
}

function runPython({ kind, task }: PeerWorkload, { threads = 1 }: Contestant, milliseconds: number) {
  const folder = writeData(kind, task);
  const sizes = task.sizes.join("-");
  const args = [kind, sizes, task.batch, threads, milliseconds, folder].map(String);
  const env = {
    OMP_WAIT_POLICY: "passive",
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    LD_LIBRARY_PATH: [OPENBLAS, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  };
  return runProcess<Versioned>(PYTHON, [SCRIPT, ...args], { seconds: TIME_LIMIT_SECONDS, env });
}

/** The weights and batches that contestants in JavaScript make for themselves, as files. */
function writeData(kind: PeerWorkload["kind"], task: Task): string {
  const folder = `${CACHE}/data/${kind} ${taskName(task)}`;
  mkdirSync(folder, { recursive: true });
  const write = (name: string, blocks: readonly (Float32Array | Int32Array)[]) =>
    writeFileSync(
      `${folder}/${name}`,
      Buffer.concat(blocks.map((b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength))),
    );
  write(
    "weights",
    createBaseline(createNaive, task).parameters.flatMap(({ kernel, bias }) => [kernel, bias]),
  );
  if (kind === "digits") {
    for (const [part, { x, y }] of Object.entries(readDigits("data/digits.csv.gz"))) {
      write(`${part}-x`, [x]);
      write(`${part}-y`, [y]);
    }
  } else {
    const { x, labels } = createBatches(task);
    write("x", x);
    write("labels", labels);
  }
  return folder;
}
