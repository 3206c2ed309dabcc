// Command lines: a table of options a command, read with Node's parseArgs, from which the help is written too.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { show } from "../errors.ts";
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

const HELP = flag("this text", "h");

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
    throw new UsageError(`expected ${name} to be the name of a file, received ${show(given)}.`);
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
    throw new UsageError(`expected ${name} to be one character, received ${show(given)}.`);
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
      throw new UsageError(`expected ${name} to be ${range}, received ${show(given)}.`);
    },
  };
}

export function choice<T extends string>(names: readonly T[], about: string): Option<T> {
  return {
    value: "NAME",
    about: `${about}: ${names.join(", ")}`,
    read: (given, name) => {
      if (names.includes(given as T)) return given as T;
      throw new UsageError(`expected ${name} to be one of ${names.join(", ")}, received ${show(given)}.`);
    },
  };
}

function readCount(given: string, name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\s*\d+\s*$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`expected ${name} to be a whole number ${range}, received ${show(given)}.`);
}

/** Errors: UsageError for unknown options, bad values and a wrong number of operands. */
export function parseLine<O extends OptionTable>(usage: Usage<O>, args: readonly string[]): Parsed<O> {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const [key, { value, short }] of Object.entries(usage.options)) {
    options[kebab(key)] = { type: value ? "string" : "boolean", ...(short ? { short } : {}) };
  }
  // Not strict: what is wrong is said in the words of all messages here.
  const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const { values, positionals } = parsed;
  const tokens = parsed.tokens.filter((token) => token.kind === "option");
  for (const token of tokens) checkToken(token, usage);
  const names = tokens.flatMap(({ name, value }) => (value === undefined ? [] : [name]));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`expected --${twice} once, received it twice.`);
  const read = Object.entries(usage.options).flatMap(([key, option]) => {
    const given = values[kebab(key)];
    return given === undefined ? [] : [[key, option.read(String(given), `--${kebab(key)}`)]];
  });
  if (positionals.length !== usage.operands.length) {
    const wanted = usage.operands.length === 0 ? "no file" : usage.operands.join(" and ");
    throw new UsageError(`expected ${wanted}, received ${positionals.map(show).join(" and ") || "none"}.`);
  }
  if (positionals.includes(""))
    throw new UsageError(`expected ${usage.operands.join(" and ")}, received an empty name.`);
  return { operands: positionals, values: Object.fromEntries(read) as OptionValues<O> };
}

/** As it stands on the command line: `rawName` with its dashes, the value inline (--name=value) or the next word. */
interface Token {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Errors: UsageError for an option that there is not, without its value, or with one that it does not take. */
function checkToken<O extends OptionTable>({ name, rawName, value, inlineValue }: Token, usage: Usage<O>): void {
  const known: Readonly<Record<string, Option<unknown>>> = Object.fromEntries(
    Object.entries({ ...usage.options, help: HELP }).map(([key, option]) => [kebab(key), option]),
  );
  if (!Object.hasOwn(known, name)) {
    const dashed = (names: readonly string[]) => names.map((each) => `--${each}`);
    const near = dashed(nearest(name, Object.keys(known)));
    const advice =
      near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `Known: ${dashed(Object.keys(known)).join(", ")}.`;
    throw new UsageError(`expected a known option, received ${show(rawName)}. ${advice}`);
  }
  const { value: placeholder } = known[name];
  if (!placeholder) {
    if (value === undefined) return;
    throw new UsageError(`expected --${name} without a value, received ${show(value)}.`);
  }
  if (value === undefined) throw new UsageError(`expected --${name} ${placeholder}, received no value.`);
  // A number below 0 is a value, if a wrong one; another word with a dash is the next option.
  if (inlineValue || !/^-[^\d.]/.test(value)) return;
  throw new UsageError(
    `expected --${name} ${placeholder}, received the option ${show(value)}; --${name}=VALUE takes a value that begins with a dash.`,
  );
}

/** The names that somebody may have meant, at most three. */
function nearest(given: string, names: readonly string[]): string[] {
  const close = (name: string) => (name.startsWith(given) ? 0 : distance(given.slice(0, 40), name));
  const most = Math.max(1, Math.floor(given.length / 3));
  const sorted = names.map((name) => [name, close(name)] as const).sort(([, a], [, b]) => a - b);
  return sorted.flatMap(([name, far]) => (far <= most ? [name] : [])).slice(0, 3);
}

/** Characters to put in, leave out or exchange. Source: Wagner & Fischer 1974. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + Number(a[i - 1] !== b[j - 1])));
    }
    above = row;
  }
  return above[b.length];
}

export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function helpOf<O extends OptionTable>({ name, about, operands, options, examples }: Usage<O>): string {
  const rows = Object.entries({ ...options, help: HELP }).map(([key, option]) => [
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
