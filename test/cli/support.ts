// The command in process: what it prints and how it ends; and as the program that users start.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { run } from "../../src/cli/run.ts";
import { type Output, Terminal } from "../../src/cli/terminal.ts";

export const PENGUINS = fileURLToPath(new URL("../../data/penguins.csv", import.meta.url));
export const BREAST_CANCER = fileURLToPath(new URL("../../data/breast_cancer.csv", import.meta.url));
export const PROGRAM = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export interface Ended {
  code: number;
  out: string;
  err: string;
}

function collect(tty: boolean): { stream: Output; text: () => string } {
  const stream = new PassThrough({ highWaterMark: 1 << 26 });
  const abilities = tty ? { isTTY: true, columns: 120, hasColors: () => true } : {};
  return { stream: Object.assign(stream, abilities), text: () => stream.read()?.toString() ?? "" };
}

/** Runs a command line in this process. */
export async function command(args: readonly string[], { tty = false } = {}): Promise<Ended> {
  const [out, err] = [collect(tty), collect(tty)];
  const code = await run(args, new Terminal(out.stream, err.stream));
  return { code, out: out.text(), err: err.text() };
}

/** As command with --json, read. */
export async function json<T = Record<string, unknown>>(args: readonly string[]): Promise<T> {
  const { code, out, err } = await command([...args, "--json"]);
  if (code !== 0) throw new Error(`Exit code ${code}: ${err}`);
  return JSON.parse(out) as T;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended & { signal: NodeJS.Signals | null }>;
}

export function start(args: readonly string[]): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout?.on("data", (piece) => {
    out += piece;
  });
  child.stderr?.on("data", (piece) => {
    err += piece;
  });
  const ended = new Promise<Ended & { signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? -1, signal, out, err }));
  });
  return { child, ended };
}

/** A folder that goes with the tests of a file. */
export function folder(): {
  path: (name: string) => string;
  file: (name: string, content: string | Uint8Array) => string;
} {
  const root = mkdtempSync(join(tmpdir(), "simdgrad-cli-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string) => join(root, name);
  return {
    path,
    file: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
  };
}
