// The command line.
import { parseArgs } from "node:util";
import type { InitializerName } from "../../src/index.ts";

/** Something that the user can mend; the message is one line. */
export class DemoError extends Error {}

export interface Options {
  help: boolean;
  compare: boolean;
  /** Undefined: the library's choice, which suits the activation. */
  init: InitializerName | undefined;
  epochs: number;
  seed: number;
  data: string | undefined;
}

const INITIALIZERS: Readonly<Record<string, InitializerName>> = {
  zeros: "zeros",
  ones: "ones",
  he: "he-normal",
  "he-normal": "he-normal",
  "he-uniform": "he-uniform",
  glorot: "glorot-uniform",
  "glorot-normal": "glorot-normal",
  "glorot-uniform": "glorot-uniform",
  lecun: "lecun-normal",
  "lecun-normal": "lecun-normal",
  orthogonal: "orthogonal",
};

export const HELP = `Trains a network of 64-64-10 units on 1,797 handwritten digits of 8 x 8 pixels.

  npm run demo                    train; what did it learn, and how fast?
  npm run demo -- --compare       SGD, momentum, RMSProp, Adam from one start
  npm run demo -- --init zeros    why weights must not start equal
  npm run demo -- --init glorot   train from another start

Options
  --epochs N     passes over the training rows, default 30
  --seed N       of initial weights and shuffles, default 1
  --init NAME    how the kernels start: ${Object.keys(INITIALIZERS).slice(0, 5).join(", ")},
                 ${Object.keys(INITIALIZERS).slice(5, 8).join(", ")},
                 ${Object.keys(INITIALIZERS).slice(8).join(", ")};
                 default he-normal, and glorot-uniform before the softmax;
                 zeros shows an experiment instead
  --compare      shows an experiment instead
  --data FILE    a gzipped CSV of other digits: 64 pixels 0 to 16, the label
  --help         this page

Colours and the progress bar need a terminal; NO_COLOR=1 does without colours.`;

export function readOptions(args: readonly string[]): Options {
  const { epochs, seed, init, data, help = false, compare = false } = parse(args);
  if (compare && init !== undefined) throw new DemoError("--compare and --init are two experiments: choose one.");
  return {
    help,
    compare,
    init: init === undefined ? undefined : initializer(init),
    epochs: count("--epochs", epochs ?? "30", 1),
    seed: count("--seed", seed ?? "1", 0),
    data,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { epochs: text, seed: text, init: text, data: text, compare: flag, help: { ...flag, short: "h" } },
    }).values;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_PARSE_ARGS")) throw error;
    throw new DemoError(`${message.split(/[.\n]/)[0]}. --help lists the options.`);
  }
}

function initializer(name: string): InitializerName {
  const known = Object.hasOwn(INITIALIZERS, name) && INITIALIZERS[name];
  if (known) return known;
  throw new DemoError(`--init: expected one of ${Object.keys(INITIALIZERS).join(", ")}, received "${name}".`);
}

function count(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new DemoError(`${flag}: expected a whole number of at least ${least}, received "${text}".`);
}
