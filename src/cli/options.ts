// Command lines: a table of options a command, read with Node's parseArgs, from which the help is written too.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { quoted, UsageError } from "./errors.ts";

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

export function path(value: string, about: string, short?: string): Option<string> {
  const read = (given: string, name: string) => {
    if (given !== "" && !given.includes("\0")) return given;
    throw new UsageError(`expected ${name} to be the name of a file, received ${quoted(given)}.`);
  };
  return { value, about, ...(short ? { short } : {}), read };
}

export function text(value: string, about: string, short?: string): Option<string> {
  return { value, about, ...(short ? { short } : {}), read: (given) => given };
}

/** One that may stand between cells; a tab also as it is written in programs. */
export function character(about: string): Option<string> {
  const read = (given: string, name: string) => {
    const found = given === "\\t" ? "\t" : given;
    if (/^[^"\r\n\uFEFF]$/.test(found)) return found;
    throw new UsageError(`expected ${name} to be one character, received ${quoted(given)}.`);
  };
  return { value: "CHAR", about, read };
}

export function texts(value: string, about: string): Option<string[]> {
  return { value, about, read: (given) => given.split(",").map((part) => part.trim()) };
}

export function count(about: string, least = 0, most = Number.MAX_SAFE_INTEGER): Option<number> {
  return { value: "N", about, read: (given, name) => readCount(given, name, least, most) };
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
  const range = high === Number.MAX_VALUE ? `a number of at least ${low}` : `a number from ${low} to ${high}`;
  return numberThat(about, range, (value) => value >= low && value <= high);
}

/** A number above 0, which f32 has too. */
export function positive(about: string): Option<number> {
  return numberThat(about, "a number above 0", (value) => value > 0 && Number.isFinite(Math.fround(value)));
}

function numberThat(about: string, range: string, fits: (value: number) => boolean): Option<number> {
  return {
    value: "X",
    about,
    read: (given, name) => {
      const value = given.trim() === "" ? Number.NaN : Number(given);
      if (fits(value)) return value;
      throw new UsageError(`expected ${name} to be ${range}, received ${quoted(given)}.`);
    },
  };
}

export function choice<T extends string>(names: readonly T[], about: string): Option<T> {
  return {
    value: "NAME",
    about: `${about}: ${names.join(", ")}`,
    read: (given, name) => {
      if (names.includes(given as T)) return given as T;
      throw new UsageError(`expected ${name} to be one of ${names.join(", ")}, received ${quoted(given)}.`);
    },
  };
}

function readCount(given: string, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\s*\d+\s*$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`expected ${name} to be a whole number ${range}, received ${quoted(given)}.`);
}

/** Errors: UsageError for unknown options, bad values and a wrong number of operands. */
export function parseLine<O extends OptionTable>(usage: Usage<O>, args: readonly string[]): Parsed<O> {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const [key, { value, short }] of Object.entries(usage.options)) {
    options[kebab(key)] = { type: value ? "string" : "boolean", ...(short ? { short } : {}) };
  }
  const { values, positionals, tokens } = parsed([...args], options);
  const names = tokens.flatMap((token) => (token.kind === "option" && token.value !== undefined ? [token.name] : []));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`expected --${twice} once, received it twice.`);
  const read = Object.entries(usage.options).flatMap(([key, option]) => {
    const given = values[kebab(key)];
    return given === undefined ? [] : [[key, option.read(String(given), `--${kebab(key)}`)]];
  });
  if (positionals.length !== usage.operands.length) {
    const wanted = usage.operands.length === 0 ? "no file" : usage.operands.join(" and ");
    throw new UsageError(`expected ${wanted}, received ${positionals.map(quoted).join(" and ") || "none"}.`);
  }
  if (positionals.includes(""))
    throw new UsageError(`expected ${usage.operands.join(" and ")}, received an empty name.`);
  return { operands: positionals, values: Object.fromEntries(read) as OptionValues<O> };
}

function parsed(args: string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args, options, allowPositionals: true, tokens: true });
  } catch (error) {
    // Node's messages name the option; their advice on positional arguments would only add to them.
    const { message } = error as Error;
    throw new UsageError(message.replace(/ To specify a positional .*$/s, "").replaceAll("\n", " "), { cause: error });
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
