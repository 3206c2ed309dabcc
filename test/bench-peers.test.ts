// What `npm run bench:peers` takes for its options, holds a rate against, refuses to publish and says of what failed.
// Figures themselves depend on the machine and are no test's.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ContestantError } from "../bench/failure.ts";
import { type Contestant, contestants } from "../bench/peers/contestants.ts";
import { limitOf } from "../bench/peers/limits.ts";
import { markdown } from "../bench/peers/markdown.ts";
import { choosePairs, readPeerOptions } from "../bench/peers/options.mjs";
import { publish } from "../bench/peers/publish.ts";
import type { PeerReport, PeerResult } from "../bench/peers/report.ts";
import { competes, type PeerWorkload, workloads } from "../bench/peers/workloads.ts";
import { runProcess } from "../bench/processes.ts";
import { readReport } from "../bench/publish.ts";
import { refusal } from "./support/refusal.ts";

const pairs = workloads.flatMap((workload) =>
  contestants.filter((contestant) => competes(workload, contestant)).map((contestant) => ({ workload, contestant })),
);

function result({ workload: { name, title, unit }, contestant }: (typeof pairs)[number], median: number): PeerResult {
  const values = [median, median];
  return { workload: name, title, unit, contestant: contestant.name, values, median, spread: 0, disturbed: 0 };
}

/** Every figure 1,000 a second, on a machine whose limits are round. */
function report(changes: Partial<PeerReport> = {}): PeerReport {
  return {
    date: "2026-01-01T00:00:00.000Z",
    versions: { node: "24.0.0", v8: "13.6" },
    cpu: "a",
    cores: 2,
    platform: "linux x64",
    rounds: 2,
    quick: false,
    limits: { strict: 40, relaxed: 50, weights: 2000 },
    results: pairs.map((pair) => result(pair, 1000)),
    ...changes,
  };
}

const workload = (name: string) => workloads.find((each) => each.name === name) as PeerWorkload;
const contestant = (name: string) => contestants.find((each) => each.name === name) as Contestant;

describe("the options", () => {
  it("are three rounds of everything by default, one with --quick", () => {
    expect(readPeerOptions([])).toMatchObject({ rounds: 3, only: [], work: [], quick: false, publish: false });
    expect(readPeerOptions(["--quick", "--work", "a"])).toMatchObject({ rounds: 1, work: ["a"] });
    expect(readPeerOptions(["--publish", "--from", "a", "--even-if-disturbed"])).toMatchObject({ from: "a" });
  });

  it.each([
    [["--rounds", "x"], "Expected --rounds to be a whole number from 1, received x."],
    [["--nosuch"], /^Expected table, chart, .* received: Unknown option '--nosuch'\.$/],
    [["tabel"], /received: Unexpected argument 'tabel'\.$/],
    [["--even-if-disturbed"], "Expected --even-if-disturbed only beside --publish."],
    [["--from", "a"], "Expected --from only beside --publish."],
    [["--publish", "--only", "jax"], "received --only: measure it all"],
    [["--publish", "--work", "step", "--quick"], "received --quick and --work and 1 round: measure it all"],
    [["--publish", "--rounds", "1"], "received 1 round: measure it all"],
  ])("that are wrong or publish a part are named in one line: %s", (args, message) => {
    expect(refusal(() => readPeerOptions(args))).toMatch(message);
    expect(refusal(() => readPeerOptions(args))).not.toContain("\n");
  });

  it("name contestants and workloads that go together", () => {
    const lists = { contestants, workloads, competes };
    const names = (only: string[], work: string[]) =>
      choosePairs({ only, work }, lists).map(({ workload, contestant }) => [workload.name, contestant.name]);
    expect(choosePairs({ only: [], work: [] }, lists)).toEqual(pairs);
    expect(names(["onnxruntime", "toygrad"], ["batch 256", "digits"])).toEqual([
      ["step 256-1024-1024-10 batch 256", "toygrad"],
      ["predict 784-512-256-10 batch 256", "onnxruntime-web"],
      ["predict 784-512-256-10 batch 256", "onnxruntime-node"],
      ["predict 784-512-256-10 batch 256", "toygrad"],
      ["digits", "toygrad"],
    ]);
    expect(refusal(() => names(["toygrad", "toy boat"], []))).toMatch(/^Expected --only .*; received toy boat\.$/);
    expect(refusal(() => names([], ["stop"]))).toMatch(/^Expected --work .*; received stop\.$/);
    expect(refusal(() => names(["onnx"], ["step", "digits"]))).toBe(
      "Expected a contestant that does one of the workloads, received --only onnx --work step --work digits.",
    );
  });
});

describe("the limit", () => {
  const { limits } = report();

  it("is multiply and add in registers, fused for those that fuse, once a thread", () => {
    // 2 * 256 rows * (784 * 512 + 512 * 256 + 256 * 10) operations for 256 rows.
    const perRow = 2 * (784 * 512 + 512 * 256 + 256 * 10);
    const batch = workload("predict 784-512-256-10 batch 256");
    expect(limitOf(batch, contestant("simdgrad strict"), limits)).toBeCloseTo(40e9 / perRow);
    expect(limitOf(batch, contestant("simdgrad relaxed, 2 threads"), limits)).toBeCloseTo((2 * 50e9) / perRow);
    expect(limitOf(batch, contestant("jax-js"), limits)).toBeCloseTo(50e9 / perRow);
    expect(limitOf(workload("digits"), contestant("simdgrad strict"), limits)).toBeNull();
  });

  it("is reading the weights for one row", () => {
    const single = workload("predict 784-512-256-10 batch 1");
    expect(limitOf(single, contestant("simdgrad relaxed"), limits)).toBe(2000);
    expect(limitOf(single, contestant("simdgrad strict, 2 threads"), limits)).toBe(4000);
    expect(limitOf(single, contestant("simdgrad strict"), { strict: 40, relaxed: 50 })).toBeNull();
  });

  it("stands in the table, native code marked as not bound by it", () => {
    const shares = markdown(report()).split("Percent of what")[1];
    const column = shares
      .split("\n")
      .find((line) => line.startsWith("| | "))!
      .split(" | ");
    const at = column.findIndex((title) => title.includes("10 batch 1 "));
    const cell = (name: string) =>
      shares
        .split("\n")
        .find((line) => line.startsWith(`| ${name} |`))!
        .split(" | ")[at];
    expect(cell("simdgrad strict")).toBe("50 %");
    expect(cell("simdgrad strict, 2 threads")).toBe("25 %");
    expect(cell("onnxruntime-web")).toBe("50 %");
    expect(cell("onnxruntime-node")).toBe("50 % *");
    expect(shares).not.toContain("epochs");
    expect(markdown(report({ limits: { strict: null, relaxed: null } }))).not.toContain("Percent of what");
  });
});

describe("figures of a single round that counts", () => {
  it("are marked, and what is made of them", () => {
    const results = report().results.map((each) => ({
      ...each,
      disturbed: each.contestant === "onnxruntime-node" ? 1 : 0,
    }));
    const text = markdown(report({ results }));
    const native = text.split("\n").filter((line) => line.startsWith("| onnxruntime-node |"));
    expect(native.map((line) => line.split(" | ")[5])).toEqual(["1,000¹", "1.0x¹", "50 %¹ *"]);
    expect(text).toContain(`2 of ${pairs.length} figures rest on a single round, marked ¹.`);
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("| toygrad |"))
        .join(""),
    ).not.toContain("¹");
  });

  it("are so in README", () => {
    expect(readFileSync("README.md", "utf8")).toContain(
      `\n${markdown(readReport<PeerReport>("bench/results/peers.json"))}\n`,
    );
  });
});

describe("what is published", () => {
  let folder: string;
  let published: string;
  const write = (each: PeerReport, evenIfDisturbed = false) =>
    publish(each, "raw.json", { evenIfDisturbed }, published);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "simdgrad-"));
    published = join(folder, "peers.json");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is whole", () => {
    const [, ...others] = report().results;
    expect(refusal(() => write(report({ results: others })))).toContain(
      `${pairs.length - 1} of ${pairs.length} figures`,
    );
    expect(refusal(() => write(report({ rounds: 1 })))).toContain("received 1 round:");
    expect(refusal(() => write(report({ quick: true })))).toContain("received --quick:");
    expect(refusal(() => write(report({ limits: { strict: 40, relaxed: null, weights: null } })))).toContain(
      "received no limit by relaxed_madd and no limit by 128-bit loads:",
    );
    expect(refusal(() => write(report({ versions: { node: "20.19.0", v8: "11" } })))).toContain(
      "received Node 20.19.0:",
    );
    expect(existsSync(published)).toBe(false);
    const slow = { ...report().results[0], values: [], median: null, failure: "not finished within 60 s" };
    write(report({ results: [slow, ...others] }));
    expect(readReport<PeerReport>(published).results[0].failure).toBe("not finished within 60 s");
  });

  it("is of a machine as fast and idle as before, or says that it is not", () => {
    write(report());
    const slow = report({ limits: { strict: 30, relaxed: 50, weights: 2000 } });
    expect(refusal(() => write(slow))).toMatch(/raw\.json keeps the results: .*30\.0 GFLOPS/);
    expect(readReport(published)).toEqual(report());
    write(slow, true);
    expect(markdown(readReport<PeerReport>(published))).toContain(
      "The machine was disturbed: its control loop ran at 30.0 GFLOPS",
    );
  });

  it("counts disturbed figures", () => {
    const results = report().results.map((each, i) => ({ ...each, disturbed: i < pairs.length / 8 ? 2 : 0 }));
    expect(refusal(() => write(report({ results })))).toMatch(/disturbed: \d+ of \d+ figures\./);
    expect(existsSync(published)).toBe(false);
  });

  it("may be a raw file's, and nothing else", () => {
    const raw = join(folder, "raw.json");
    writeFileSync(raw, JSON.stringify({ ...report(), measurements: [1] }));
    expect(readReport(raw)).toEqual(report());
    writeFileSync(raw, "{}");
    expect(refusal(() => readReport(raw))).toMatch(/^Expected results of a benchmark in .*: no results\.$/);
  });
});

describe("a contestant's process", () => {
  const fails = (script: string) => expect(runProcess(process.execPath, ["-e", script])).rejects;

  it("gives the measurement in its last line", async () => {
    const script = "console.log('library 1.0'); console.log(JSON.stringify({ rate: 1 }))";
    expect(await runProcess(process.execPath, ["-e", script])).toEqual({ rate: 1 });
  });

  it.each([
    ["process.kill(process.pid, 'SIGTERM')", "ended by SIGTERM"],
    ["console.error('Error: why'); process.kill(process.pid, 'SIGKILL')", "ended by SIGKILL: Error: why"],
    ["process.exit(3)", "ended with status 3 and no message"],
    ["throw new Error('why')", "Error: why"],
    ["", "expected a measurement, received nothing"],
    ["console.log('hello')", 'expected a measurement, received "hello"'],
  ])("leaves its reason: %s", async (script, message) => {
    await fails(script).toThrow(new ContestantError(message));
  });

  it("needs its command", async () => {
    await expect(runProcess("no-such-command", [])).rejects.toThrow("no no-such-command");
  });
});
