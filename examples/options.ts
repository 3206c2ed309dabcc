// The command lines of the examples that take nothing but whole numbers.
import { parseArgs } from "node:util";

/** Each option with its default, as the command line has it: `--seed 3`. Ends the process when it makes no sense. */
export function readCounts<Name extends string>(
  defaults: Record<Name, number>,
  args = process.argv.slice(2),
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  try {
    const { values } = parseArgs({
      args,
      options: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    });
    return Object.fromEntries(
      names.map((name) => [name, values[name] === undefined ? defaults[name] : count(name, String(values[name]))]),
    ) as Record<Name, number>;
  } catch (error) {
    console.error((error as Error).message.split("\n")[0]);
    process.exit(1);
  }
}

function count(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name}: expected a whole number, received "${text}".`);
}
