// One contestant, one fresh process: contestant.ts beside this bundle, or another command. A signal that ends this
// process ends that one, and the run.
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { endChildren, ended, insteadOfEnding, start } from "./children.mjs";
import { ContestantError, describeEnd } from "./failure.ts";
import type { Measurement } from "./workload.ts";

const TIME_LIMIT_SECONDS = 120;
const SCRIPT = fileURLToPath(new URL("./contestant.mjs", import.meta.url));

interface ProcessOptions {
  seconds?: number;
  /** More of the environment. */
  env?: NodeJS.ProcessEnv;
}

/** A signal came. */
class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.exitCode = 128 + constants.signals[signal];
  }
}

let interruption: Interruption | undefined;

/** Runs it to its end, or until a signal comes: then says that `file` keeps what was measured. */
export async function untilInterrupted(file: string, task: () => Promise<void>): Promise<void> {
  insteadOfEnding((signal) => {
    interruption ??= new Interruption(signal);
    endChildren("SIGKILL");
  });
  try {
    await task();
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    console.error(`Interrupted: what follows is a part; ${file} keeps it.`);
    process.exitCode = error.exitCode;
  }
}

/** Errors: ContestantError, Interruption. */
export function runContestant<M extends Measurement>(
  workload: string,
  contestant: string,
  milliseconds: number,
  options?: ProcessOptions,
): Promise<M> {
  return runProcess(process.execPath, [SCRIPT, workload, contestant, String(milliseconds)], options);
}

/** The measurement that a command prints. Errors: ContestantError, Interruption. */
export async function runProcess<M extends Measurement>(
  command: string,
  args: readonly string[],
  { seconds = TIME_LIMIT_SECONDS, env = {} }: ProcessOptions = {},
): Promise<M> {
  if (interruption) throw interruption;
  const child = start(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
    env: { ...process.env, ...env },
  });
  const [end, output, messages] = await Promise.all([ended(child), read(child.stdout), read(child.stderr)]);
  // On a terminal the signal reaches both processes, and the other one's end may be heard of first.
  if (end.signal === "SIGINT") interruption ??= new Interruption("SIGINT");
  if (interruption) throw interruption;
  if (end.error) throw new ContestantError(end.error.code === "ENOENT" ? `no ${command}` : end.error.message);
  if (child.killed) throw new ContestantError(`not finished within ${seconds} s`);
  if (end.status !== 0) throw new ContestantError(describeEnd(end, messages));
  return parse(output);
}

const read = async (stream: Readable | null): Promise<string> => (stream ? text(stream).catch(() => "") : "");

/** The measurement is the last line, after what libraries print. */
function parse<M>(output: string): M {
  const line = output.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new ContestantError(`expected a measurement, received ${line ? `"${line.slice(0, 100)}"` : "nothing"}`);
  }
}
