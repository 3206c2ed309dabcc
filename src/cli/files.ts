// Files that commands read and write, with errors that a reader can act on.

import { randomUUID } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { access, constants, type FileHandle, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { type CsvOptions, csv, MISSING_CELLS, type Table } from "../data.ts";
import { HINTS, withoutHint } from "../errors.ts";
import { type LoadOptions, type Model, SimdgradError } from "../index.ts";
import { loadFile } from "../node.ts";
import { CommandError, UsageError } from "./errors.ts";
import { character, choice, count, flag, texts } from "./options.ts";

/** How a CSV file is read; the same for all commands. */
export const CSV_OPTIONS = {
  delimiter: character("between cells; found out by default"),
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

export function csvOptions({ delimiter, decimal, header, skip, missing }: CsvValues): CsvOptions {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(decimal === undefined ? {} : { decimal }),
    ...(header === undefined ? {} : { header: header === "yes" }),
    ...(skip === undefined ? {} : { skip }),
    ...(missing === undefined ? {} : { missing: [...MISSING_CELLS, ...missing] }),
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

/** A whole file as a table. Errors: CommandError naming the file. */
export function readTable(path: string, bytes: Uint8Array, options: CsvOptions): Table {
  return naming(path, () => csv(bytes, options));
}

/** Work on what a CSV file holds. Errors: CommandError naming the file. */
export function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inFile(path, error);
  }
}

/** What is wrong with a CSV file, with its name. */
export function inFile(path: string, error: unknown): unknown {
  if (!(error instanceof SimdgradError)) return onDisk(path, error);
  const message = tell(error).replace(/^(csv|csvStream|apply|applyInputs|prepare): /, "");
  return new CommandError(`${path === "-" ? "stdin" : path}: ${message}`, { cause: error });
}

/** What hints advise programs, on a command line. */
const OWN_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^types says .*; missing lists/, "--missing lists"],
  [/unknown: "zeros"/, "--unknown zeros"],
  [/header: false/, "--header no"],
  [/ skip passes/, " --skip passes"],
  [/, or decode it first: .*\./, "."],
  [/\(ignore\)/, "(--ignore)"],
];

/** In the command's words; without what every error of a code advises where that is for programs. */
export function tell(error: SimdgradError): string {
  const { code, hint } = error;
  if (["DATA", "SHAPE", "CONFIG"].includes(code) && hint === HINTS[code]) return withoutHint(error);
  const own = OWN_WORDS.reduce((text, [theirs, ours]) => text.replace(theirs, ours), hint);
  return `${withoutHint(error)} ${own}`;
}

export function openBytes(path: string): Readable {
  return path === "-" ? process.stdin : createReadStream(path);
}

export function readModel(path: string, options: LoadOptions = {}): Promise<Model> {
  return readable(path, () => loadFile(path, options));
}

/** What is written of a file until it is whole: beside it, or at once where it is none, but a device or a pipe. */
export interface Draft {
  readonly file: FileHandle;
  /** Puts it in the old file's place. */
  keep(): Promise<void>;
  /** As if there had been none. */
  drop(): Promise<void>;
}

/** Errors: CommandError where nothing can be written. */
export function draft(path: string): Promise<Draft> {
  return readable(path, async () => {
    // What fails here but for a file that is not there yet, fails below too.
    const target = await realpath(path).catch(() => path);
    const old = statSync(target, { throwIfNoEntry: false });
    if (old && !old.isFile()) {
      const file = await open(target, "w");
      return { file, keep: () => file.close(), drop: () => file.close() };
    }
    // A rename would ask the folder alone.
    if (old) await access(target, constants.W_OK);
    const temporary = join(dirname(target), `.${randomUUID()}.tmp`);
    const file = await open(temporary, "wx", old?.mode);
    const drop = async () => {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    };
    const keep = () =>
      readable(path, async () => {
        await file.close();
        await rename(temporary, target);
      });
    return { file, keep, drop };
  });
}

/** Whole or not at all. */
export async function writeText(path: string, content: string): Promise<void> {
  const { file, keep, drop } = await draft(path);
  try {
    await readable(path, () => file.writeFile(content));
    await keep();
  } catch (error) {
    await drop();
    throw error;
  }
}

/** Errors: CommandError where nothing can be written. What is there stays. */
export async function checkWritable(path: string): Promise<void> {
  await (await draft(path)).drop();
}

/** The same for a model, which has to be a file. */
export async function checkModelWritable(path: string): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old && !old.isFile() && !old.isDirectory()) throw new CommandError(`${path}: a device or a pipe, no file.`);
  await checkWritable(path);
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

/** With the file system's errors as one line. */
export async function readable<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw onDisk(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  ENOTDIR: "a file stands where a folder is expected",
  ENAMETOOLONG: "a name too long",
  ELOOP: "links that lead to each other",
  EROFS: "no writing on this disk",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a folder, no file",
  ENOSPC: "no space left",
  EDQUOT: "no space left",
  EFBIG: "no space left",
};

function onDisk(path: string, error: unknown): unknown {
  // The package's own errors name the file system's as their cause.
  const { code } = (error instanceof SimdgradError ? (error.cause ?? error) : error) as NodeJS.ErrnoException;
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  return new CommandError(`${path}: ${reasonOf({ code })}.`, { cause: error });
}

/** In words. */
export function reasonOf({ code = "" }: { code?: string | undefined }): string {
  return REASONS[code] ?? code;
}
