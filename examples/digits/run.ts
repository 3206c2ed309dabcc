// Which of the three shows a command line asks for.
import { compareOptimizers } from "./compare.ts";
import { readDigits } from "./digits.ts";
import { HELP, readOptions } from "./options.ts";
import { showSymmetry } from "./symmetry.ts";
import type { Terminal } from "./terminal.ts";
import { trainDigits } from "./train.ts";

/** Errors: DemoError for what the user can mend. */
export async function run(args: readonly string[], terminal: Terminal): Promise<void> {
  const options = readOptions(args);
  if (options.help) {
    terminal.print(HELP);
    return;
  }
  const digits = readDigits(options.data);
  if (options.compare) await compareOptimizers(digits, options, terminal);
  else if (options.init === "zeros") await showSymmetry(digits, options, terminal);
  else await trainDigits(digits, options, terminal);
}
