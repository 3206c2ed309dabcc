// One contestant, one fresh process: contestant.ts beside this bundle. A signal that ends this process ends it too.
import { type ChildProcess, type ExecFileException, execFile } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { End } from "./children.mjs";
import { ContestantError, describeEnd } from "./failure.ts";
import { whenStopped } from "./stop.mjs";
import type { Measurement } from "./workload.ts";

const TIME_LIMIT_SECONDS = 120;
const SCRIPT = fileURLToPath(new URL("./contestant.mjs", import.meta.url));

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
        else if (error)
          reject(new ContestantError(error.killed ? "not finished in time" : describeEnd(endOf(error), stderr)));
        else resolve(JSON.parse(stdout));
      },
    );
  });
}

const endOf = ({ code, signal }: ExecFileException): Pick<End, "status" | "signal"> => ({
  status: typeof code === "number" ? code : null,
  signal: signal ?? null,
});
