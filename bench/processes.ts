// One contestant, one fresh process: contestant.ts beside this bundle. A signal that ends this process ends it too.
import { type ChildProcess, execFile } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { whenStopped } from "./stop.mjs";
import type { Measurement } from "./workload.ts";

const TIME_LIMIT_SECONDS = 120;
const SCRIPT = fileURLToPath(new URL("./contestant.mjs", import.meta.url));

/** A contestant whose results are wrong, that does not run, or takes too long. */
export class ContestantError extends Error {}

/** A signal came. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.exitCode = 128 + constants.signals[signal];
  }
}

let running: ChildProcess | undefined;
let interruption: Interruption | undefined;

whenStopped((signal) => {
  interruption ??= new Interruption(signal);
  running?.kill("SIGKILL");
});

/** Errors: ContestantError, Interruption. */
export function runContestant(workload: string, contestant: string, milliseconds: number): Promise<Measurement> {
  const options = { maxBuffer: 1 << 26, timeout: 1000 * TIME_LIMIT_SECONDS };
  return new Promise((resolve, reject) => {
    if (interruption) throw interruption;
    running = execFile(
      process.execPath,
      [SCRIPT, workload, contestant, String(milliseconds)],
      options,
      (error, stdout, stderr) => {
        // On a terminal the signal reaches both processes, and the other one's end may be heard of first.
        if (error?.signal === "SIGINT") interruption ??= new Interruption("SIGINT");
        if (interruption) reject(interruption);
        else if (error) reject(new ContestantError(error.killed ? "not finished in time" : reason(stderr)));
        else resolve(JSON.parse(stdout));
      },
    );
  });
}

/** The line that names the error, without this machine's paths. */
function reason(stderr: string): string {
  const lines = stderr.trim().split("\n");
  const named = lines.find((line) => /^(\w*Error\b|FATAL ERROR)/.test(line)) ?? lines.at(-1) ?? "";
  return named.replaceAll(process.cwd(), "").slice(0, 160);
}
