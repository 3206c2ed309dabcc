// Files that commands read and write, with errors that a reader can act on.
import { createReadStream } from "node:fs";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type CsvOptions, csv } from "../data.ts";
import { type LoadOptions, type Model, SimdgradError } from "../index.ts";
import { loadFile } from "../node.ts";
import { CommandError, UsageError } from "./errors.ts";
import { choice, count, flag, text, texts } from "./options.ts";

/** How a CSV file is read; the same for all commands. */
export const CSV_OPTIONS = {
  delimiter: text("CHAR", "between cells; found out by default"),
  decimal: choice([".", ","], "decimal sign"),
  header: choice(["yes", "no"], "whether the first row names the columns; found out by default"),
  skip: count("lines before the header or the first row that are passed over"),
  missing: texts("A,B", "cells that count as missing, beside empty ones, NA, NaN, null and ?"),
};

interface CsvValues {
  readonly delimiter?: string;
  readonly decimal?: "." | ",";
  readonly header?: "yes" | "no";
  readonly skip?: number;
  readonly missing?: string[];
}

const ALWAYS_MISSING = ["NA", "N/A", "NaN", "nan", "null", "NULL", "?"];

export function csvOptions({ delimiter, decimal, header, skip, missing }: CsvValues): CsvOptions {
  return {
    ...(delimiter === undefined ? {} : { delimiter: delimiter === "\\t" ? "\t" : delimiter }),
    ...(decimal === undefined ? {} : { decimal }),
    ...(header === undefined ? {} : { header: header === "yes" }),
    ...(skip === undefined ? {} : { skip }),
    ...(missing === undefined ? {} : { missing: [...ALWAYS_MISSING, ...missing] }),
  };
}

/** With the header decided: a first row with a number in it is no header. */
export function decideHeader(bytes: Uint8Array, options: CsvOptions): CsvOptions {
  if (options.header !== undefined) return options;
  const lines = new TextDecoder().decode(bytes.subarray(0, 1 << 16)).split(/\r\n|\r|\n/);
  const first = lines.slice(options.skip ?? 0).find((line) => line.trim() !== "") ?? "";
  return { ...options, header: !hasNumber(first, options) };
}

function hasNumber(line: string, options: CsvOptions): boolean {
  try {
    const { columns } = csv(line, { ...options, skip: 0, header: false });
    return columns.some(({ type, values }) => type === "number" && !Number.isNaN(values[0]));
  } catch {
    // A name over several lines, in quotes: what is wrong otherwise is said when all is read.
    return false;
  }
}

export const JSON_OPTION = flag("print one JSON object and nothing else");

/** "-" is stdin. Errors: CommandError. */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (path !== "-") return readable(path, () => readFile(path));
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

export function openBytes(path: string): AsyncIterable<Uint8Array> {
  return path === "-" ? process.stdin : createReadStream(path);
}

export function readModel(path: string, options: LoadOptions = {}): Promise<Model> {
  return readable(path, () => loadFile(path, options));
}

export function writeText(path: string, content: string): Promise<void> {
  return readable(path, () => writeFile(path, content));
}

/** Errors: CommandError where nothing can be written. What is there stays. */
export async function checkWritable(path: string): Promise<void> {
  await readable(path, async () => (await open(path, "a")).close());
}

/** Errors: UsageError where an output is a file that is used otherwise, under whatever name. */
export async function checkOutput(option: string, output: string | undefined, others: readonly (string | undefined)[]) {
  if (output === undefined) return;
  const own = await identityOf(output);
  for (const other of others) {
    if (other === undefined || (await identityOf(other)) !== own) continue;
    throw new UsageError(
      `expected --${option} to be a file of its own, received ${output}, which is in use${other === output ? "" : ` as ${other}`}.`,
    );
  }
}

/** Equal for the names of one file. */
async function identityOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? `${found.dev} ${found.ino}` : resolve(path);
}

/** The file system's errors as one line. */
export async function readable<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // The package's own errors name the file system's as their cause.
    const { code } = (error instanceof SimdgradError ? (error.cause ?? error) : error) as NodeJS.ErrnoException;
    const known: Record<string, string> = {
      ENOENT: "no such file or folder",
      ENOTDIR: "a file stands where a folder is expected",
      EROFS: "no writing on this disk",
      EACCES: "no permission",
      EISDIR: "a folder, no file",
      ENOSPC: "no space left",
    };
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    throw new CommandError(`${path}: ${known[code] ?? code}.`, { cause: error });
  }
}
