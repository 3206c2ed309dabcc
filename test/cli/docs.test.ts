// The command's page: each of its lines runs, in order, and prints what the page shows.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { folder, PROGRAM } from "./support.ts";

const { path } = folder();
const page = readFileSync(new URL("../../docs/command.md", import.meta.url), "utf8");
const lines = [...page.matchAll(/^```console\n(.*?)^```/gms)].flatMap(([, block]) => block.split(/^\$ /m).slice(1));

/** A line of the page in the folder of the tests; a file takes what is printed, where it says so. */
function start(line: string): string {
  const [command, file] = line.replace(/^simdgrad /, "").split(" > ");
  const cwd = dirname(path("x"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...command.split(" ")], {
    cwd,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  if (file === undefined) return stdout;
  writeFileSync(path(file), stdout);
  return "";
}

describe("docs/command.md", () => {
  it("prints what it shows", () => {
    expect(lines.length).toBeGreaterThan(5);
    for (const block of lines) {
      const [line, ...shown] = block.trimEnd().split("\n");
      const printed = start(line);
      // "..." stands for any lines.
      const pattern = shown.map((text) => (text === "..." ? "[^]*" : `${escaped(text)}\\n`)).join("");
      expect(printed, line).toMatch(new RegExp(`^${pattern}$`));
    }
  });
});

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
