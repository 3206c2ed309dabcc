// The program `simdgrad`.
import { run } from "./run.ts";
import { Terminal } from "./terminal.ts";

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await run(process.argv.slice(2), new Terminal(process.stdout, process.stderr));
