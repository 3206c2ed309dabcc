// One contestant, one fresh process: ../contestant.ts in Node, or PyTorch's script.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { readDigits } from "../../examples/digits/digits.ts";
import { createNaive } from "../baselines/naive.ts";
import type { Measurement } from "../workload.ts";
import { createBaseline, createBatches, type Task, taskName } from "../workloads/networks.ts";
import type { Contestant } from "./contestants.ts";
import type { PeerWorkload } from "./workloads.ts";

const CACHE = ".cache/peers";
const PYTHON = "/usr/bin/python3";
const SCRIPT = "bench/peers/contestants/pytorch.py";
const TIME_LIMIT_SECONDS = 60;
/** Debian's PyTorch takes any BLAS; its default is the reference one, at a fraction of the speed. */
const OPENBLAS = `${process.cwd()}/${CACHE}/openblas`;

/** A contestant that could not be installed, does not run, or takes too long. */
export class ContestantError extends Error {}

export interface Versioned extends Measurement {
  versions?: Record<string, string>;
}

export function runContestant(workload: PeerWorkload, contestant: Contestant, milliseconds: number): Versioned {
  if (contestant.create) return runNode(workload.name, contestant.name, milliseconds);
  const before = controlRate();
  const measurement = runPython(workload, contestant, milliseconds);
  return { ...measurement, control: Math.min(before, controlRate()) };
}

/** GFLOPS of a register loop; null where the engine lacks its instructions. */
export function measureLimit(name: "mul + add" | "relaxed_madd", milliseconds: number): number | null {
  return runNode("control", name, milliseconds).rate;
}

/** The same loop as every contestant in Node measures beside itself. */
function controlRate(): number {
  return runNode("control", "mul + add", 20).control;
}

function runNode(workload: string, contestant: string, milliseconds: number): Versioned {
  return run(process.execPath, [`${CACHE}/contestant.mjs`, workload, contestant, String(milliseconds)]);
}

function runPython({ kind, task }: PeerWorkload, { threads = 1 }: Contestant, milliseconds: number): Versioned {
  const folder = writeData(kind, task);
  const sizes = task.sizes.join("-");
  const args = [kind, sizes, task.batch, threads, milliseconds, folder].map(String);
  return run(PYTHON, [SCRIPT, ...args], {
    OMP_WAIT_POLICY: "passive",
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    LD_LIBRARY_PATH: [OPENBLAS, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
  });
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Versioned {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    timeout: TIME_LIMIT_SECONDS * 1000,
    env: { ...process.env, ...env },
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ETIMEDOUT") throw new ContestantError(`not finished within ${TIME_LIMIT_SECONDS} s`);
  if (code === "ENOENT") throw new ContestantError(`no ${command}`);
  if (status !== 0) throw new ContestantError(reason(stderr));
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** The line that names the error, without this machine's paths. */
function reason(stderr: string): string {
  const lines = stderr.trim().split("\n");
  const named = lines.find((line) => /^(\w*Error\b|FATAL ERROR)/.test(line)) ?? lines.at(-1) ?? "";
  return named
    .replace(/ imported from .*/, "")
    .replaceAll(process.cwd(), "")
    .slice(0, 160);
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
