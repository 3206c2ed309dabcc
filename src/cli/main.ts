// The program `simdgrad`.
import { FAILED, INTERRUPTED } from "./errors.ts";
import { reasonOf } from "./files.ts";
import { run } from "./run.ts";
import { Terminal } from "./terminal.ts";

const terminal = new Terminal(process.stdout, process.stderr);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    terminal.note(`simdgrad: stdout: ${reasonOf(error)}.`);
    process.exit(FAILED);
  }
  // A reader that has seen enough (`| head`) is no failure.
  if (!terminal.leavesFiles) process.exit();
});
// Nobody to tell it.
process.stderr.on("error", () => {});

process.exitCode = await run(process.argv.slice(2), terminal);
// A read of a pipe that nobody writes to any more cannot be given up: neither would an exit.
if (process.exitCode === INTERRUPTED) setTimeout(() => process.kill(process.pid, "SIGINT"), 300).unref();
