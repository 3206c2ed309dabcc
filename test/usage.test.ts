// The repository's own programs explain themselves, and say in one line what is wrong, before they do anything.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { orExit, orUsage, parse } from "../scripts/usage.mjs";
import { refusal } from "./support/refusal.ts";

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, stdout, stderr };
};

describe.each([
  ["bench/main.mjs", ["--rounds", "--only", "--quick", "--node24", "--publish", "--from", "--even-if-disturbed"]],
  ["bench/peers/main.mjs", ["--rounds", "--only", "--work", "--quick", "--publish", "--from", "--even-if-disturbed"]],
  ["bench/neighbours.mjs", ["--rounds"]],
  ["examples/edge/run.mjs", ["--port"]],
  ["examples/node-server/run.mjs", []],
  ["build/examples/node-server.mjs", ["--model", "--port"]],
  ["build/examples/cart-pole.mjs", ["--seed", "--episodes"]],
  ["build/examples/two-tower.mjs", ["--seed", "--epochs"]],
  ["build/examples/fashion-mnist.mjs", ["--seeds", "--threads"]],
  ["test/runtimes/main.mjs", ["--all", "--only"]],
  ["test/runtimes/measure.mjs", ["--rounds"]],
])("%s", (program, options) => {
  it("explains itself", () => {
    const { status, stdout, stderr } = run(program, "--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^[A-Z].*\S\n/);
    for (const option of options) expect(stdout).toContain(option);
  });

  it("names what it does not know", () => {
    const { status, stdout, stderr } = run(program, "--nonsense");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^Expected .*, received: Unknown option '--nonsense'\.\n$/);
    for (const option of options) expect(stderr).toContain(option);
  });
});

describe("the command line", () => {
  const options = { count: { type: "string" } } as const;

  it("gives what was said, or one line", () => {
    expect(parse(["--count", "3"], "--count N", options)).toEqual({ count: "3" });
    expect(refusal(() => parse(["--count"], "--count N", options))).toMatch(/^Expected --count N, received: [^\n]*\.$/);
  });

  it("passes on errors that are nobody's usage, and what a task gives", async () => {
    const failure = new TypeError("a mistake of ours");
    await expect(orUsage(() => Promise.reject(failure))).rejects.toBe(failure);
    await expect(orExit(() => Promise.resolve(3))).resolves.toBe(3);
  });
});
