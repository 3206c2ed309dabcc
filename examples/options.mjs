// @ts-check
// The command lines of the examples that take nothing but whole numbers.
import { orExit, parse, UsageError } from "../scripts/usage.mjs";

/** Each option with its default, as the command line has it: `--seed 3`. Ends the process after its help, or where it
 *  makes no sense. @template {string} Name
 *  @param {string} help @param {Record<Name, number>} defaults @param {string[]} [args]
 *  @returns {Promise<Record<Name, number>>} */
export function readCounts(help, defaults, args = process.argv.slice(2)) {
  return orExit(() => read(help, defaults, args));
}

/** @template {string} Name @param {string} help @param {Record<Name, number>} defaults @param {string[]} args */
function read(help, defaults, args) {
  const names = /** @type {Name[]} */ (Object.keys(defaults));
  const known = names.map((name) => `--${name} N`).join(" or ") || "no options";
  /** @type {Record<string, unknown>} */
  const values = parse(args, known, Object.fromEntries(names.map((name) => [name, { type: "string" }])), help);
  const counts = names.map((name) => [name, count(name, values[name], defaults[name])]);
  return /** @type {Record<Name, number>} */ (Object.fromEntries(counts));
}

/** @param {string} name @param {unknown} value @param {number} standard */
function count(name, value, standard) {
  if (value === undefined) return standard;
  if (/^\d{1,9}$/.test(String(value))) return Number(value);
  throw new UsageError(`Expected --${name} to be a whole number, received ${JSON.stringify(value)}.`);
}
