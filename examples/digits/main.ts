// `npm run demo`: trains a classifier of handwritten digits. `npm run demo -- --help` shows what else it can do.
import { SimdgradError } from "../../src/index.ts";
import { DemoError } from "./options.ts";
import { run } from "./run.ts";
import { terminalOn } from "./terminal.ts";

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await run(process.argv.slice(2), terminalOn(process.stdout));
} catch (error) {
  if (!(error instanceof DemoError || error instanceof SimdgradError)) throw error;
  console.error(`digits: ${error.message}`);
  process.exitCode = 1;
}
