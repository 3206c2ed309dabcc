// Command lines: a table of options a command, read with Node's parseArgs, from which the help is written too.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "./errors.ts";

export interface Option<T> {
  /** Of the value in the help; none for a flag. */
  readonly value?: string;
  readonly about: string;
  readonly short?: string;
  /** Errors: UsageError. */
  readonly read: (text: string, name: string) => T;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

export type OptionValues<O extends OptionTable> = { [K in keyof O]?: ReturnType<O[K]["read"]> };

export interface Usage<O extends OptionTable> {
  readonly name: string;
  /** What the command does, in a line. */
  readonly about: string;
  /** Names of what comes without an option. */
  readonly operands: readonly string[];
  readonly options: O;
  readonly examples: readonly string[];
}

export interface Parsed<O extends OptionTable> {
  readonly operands: readonly string[];
  readonly values: OptionValues<O>;
}

export function flag(about: string, short?: string): Option<boolean> {
  return { about, ...(short ? { short } : {}), read: () => true };
}

export function text(value: string, about: string, short?: string): Option<string> {
  return { value, about, ...(short ? { short } : {}), read: (given) => given };
}

export function texts(value: string, about: string): Option<string[]> {
  return { value, about, read: (given) => given.split(",").map((part) => part.trim()) };
}

export function count(about: string, least = 0): Option<number> {
  return { value: "N", about, read: (given, name) => readCount(given, name, least) };
}

export function counts(value: string, about: string): Option<number[]> {
  return {
    value,
    about,
    read: (given, name) => (given === "none" ? [] : given.split(",").map((part) => readCount(part, name, 1))),
  };
}

/** A number in [low, high]. */
export function number(about: string, low = 0, high = Number.MAX_VALUE): Option<number> {
  return {
    value: "X",
    about,
    read: (given, name) => {
      const value = given.trim() === "" ? Number.NaN : Number(given);
      if (value >= low && value <= high) return value;
      const range = high === Number.MAX_VALUE ? `a number of at least ${low}` : `a number from ${low} to ${high}`;
      throw new UsageError(`expected ${name} to be ${range}, received "${given}".`);
    },
  };
}

export function choice<T extends string>(names: readonly T[], about: string): Option<T> {
  return {
    value: "NAME",
    about: `${about}: ${names.join(", ")}`,
    read: (given, name) => {
      if (names.includes(given as T)) return given as T;
      throw new UsageError(`expected ${name} to be one of ${names.join(", ")}, received "${given}".`);
    },
  };
}

function readCount(given: string, name: string, least: number): number {
  const value = /^\s*\d+\s*$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`expected ${name} to be a whole number of at least ${least}, received "${given}".`);
}

/** Errors: UsageError for unknown options, bad values and a wrong number of operands. */
export function parseLine<O extends OptionTable>(usage: Usage<O>, args: readonly string[]): Parsed<O> {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const [key, { value, short }] of Object.entries(usage.options)) {
    options[kebab(key)] = { type: value ? "string" : "boolean", ...(short ? { short } : {}) };
  }
  const { values, positionals } = parsed([...args], options);
  const read = Object.entries(usage.options).flatMap(([key, option]) => {
    const given = values[kebab(key)];
    return given === undefined ? [] : [[key, option.read(String(given), `--${kebab(key)}`)]];
  });
  if (positionals.length !== usage.operands.length) {
    const wanted = usage.operands.length === 0 ? "no file" : usage.operands.join(" and ");
    throw new UsageError(`expected ${wanted}, received ${positionals.length === 0 ? "none" : positionals.join(" ")}.`);
  }
  return { operands: positionals, values: Object.fromEntries(read) as OptionValues<O> };
}

function parsed(args: string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node's messages name the option; their advice on what starts with a dash would only add to them.
    throw new UsageError((error as Error).message.replace(/ To specify a positional .*$/s, ""), { cause: error });
  }
}

export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function helpOf<O extends OptionTable>({ name, about, operands, options, examples }: Usage<O>): string {
  const rows = Object.entries({ ...options, help: flag("this text", "h") }).map(([key, option]) => [
    `  ${option.short ? `-${option.short}, ` : ""}--${kebab(key)}${option.value ? ` ${option.value}` : ""}`,
    option.about,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `Usage: simdgrad ${[name, ...operands].join(" ")} [options]`,
    "",
    about,
    "",
    "Options:",
    ...rows.map(([left, right]) => left.padEnd(width) + right),
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}
