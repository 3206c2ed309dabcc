// The command: which of its parts is meant, and what an exit code and a message tell of its end.
import { createRequire } from "node:module";
import { SimdgradError } from "../index.ts";
import { DEMO, demo } from "./demo.ts";
import { CommandError, FAILED, INTERRUPTED, Interruption, USAGE, UsageError } from "./errors.ts";
import { EVALUATE, evaluate } from "./evaluate.ts";
import { tell } from "./files.ts";
import { INSPECT, inspect } from "./inspect.ts";
import { helpOf, type OptionTable, type Usage } from "./options.ts";
import { PREDICT, predict } from "./predict.ts";
import type { Terminal } from "./terminal.ts";
import { train } from "./train.ts";
import { TRAIN } from "./train-options.ts";

interface Command {
  readonly usage: Usage<OptionTable>;
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<unknown>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  train: { usage: TRAIN, run: train },
  predict: { usage: PREDICT, run: predict },
  evaluate: { usage: EVALUATE, run: evaluate },
  inspect: { usage: INSPECT, run: inspect },
  demo: { usage: DEMO, run: demo },
};

const HELP = `Usage: simdgrad COMMAND [options]

Trains and runs dense neural networks on CSV files.

Commands:
${Object.entries(COMMANDS)
  .map(([name, { usage }]) => `  ${name.padEnd(10)}${usage.about}`)
  .join("\n")}

simdgrad COMMAND --help tells more, simdgrad --version the version. Exit codes: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted.

Examples:
  simdgrad demo
  simdgrad demo --csv > penguins.csv
  simdgrad train penguins.csv --target species --missing . --save model.safetensors
  simdgrad predict model.safetensors penguins.csv > predictions.csv`;

/** The exit code. Nothing is thrown: what goes wrong is one message on stderr. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name] : undefined;
  try {
    if (command && (rest.includes("--help") || rest.includes("-h"))) terminal.print(helpOf(command.usage));
    else if (command) await command.run(rest, terminal);
    else if (name === "--version" || name === "-v") terminal.print(versionOf());
    else if (name === undefined || ["help", "--help", "-h"].includes(name)) terminal.print(HELP);
    else throw new UsageError(`expected a command (${Object.keys(COMMANDS).join(", ")}), received "${name}".`);
    return 0;
  } catch (error) {
    terminal.note(`simdgrad${command ? ` ${name}` : ""}: ${messageOf(error)}`);
    if (error instanceof UsageError) {
      terminal.note(`simdgrad ${command ? `${name} ` : ""}--help tells more.`);
      return USAGE;
    }
    return error instanceof Interruption ? INTERRUPTED : FAILED;
  }
}

function versionOf(): string {
  return createRequire(import.meta.url)("simdgrad/package.json").version;
}

function messageOf(error: unknown): string {
  if (error instanceof SimdgradError) return tell(error);
  const known = [UsageError, CommandError, Interruption].some((kind) => error instanceof kind);
  if (known) return (error as Error).message;
  // Not foreseen; the stack helps those who mend it.
  if (process.env["SIMDGRAD_DEBUG"]) return (error as Error)?.stack ?? String(error);
  return `${error instanceof Error ? error.message : String(error)} (SIMDGRAD_DEBUG=1 shows where.)`;
}
