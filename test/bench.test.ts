// What `npm run bench` takes for its options, when it counts a figure as disturbed, and what it refuses to publish.
// Figures themselves depend on the machine and are no test's.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeFrom } from "../bench/cpu.ts";
import { describeDisturbance, isDisturbed, isSingle, isUnsound, summarise } from "../bench/disturbance.ts";
import { markdown } from "../bench/markdown.ts";
import { node24 } from "../bench/node24.mjs";
import { readOptions, readTableOptions } from "../bench/options.mjs";
import { describeCaution, describeSpread, formatRate } from "../bench/print.ts";
import { publish, readReport } from "../bench/publish.ts";
import type { Report, Result } from "../bench/workload.ts";
import { workloads } from "../bench/workloads.ts";
import { refusal } from "./support/refusal.ts";

const figure = (contestant: string, median: number, disturbed: number): Result => {
  const values = [median, median, median];
  return { workload: contestant, title: contestant, unit: "GFLOPS", contestant, values, median, spread: 0, disturbed };
};

/** The control loop at `control`, and twenty figures of which so many were disturbed. */
function report(control: number, disturbed: number, machine: Partial<Report> = {}): Report {
  const figures = Array.from({ length: 20 }, (_, i) => figure(`figure ${i}`, 1, i < disturbed ? 3 : 1));
  const results = [figure("mul + add", control, 0), ...figures];
  const versions = { node: "24.0.0", v8: "13.6" };
  const date = "2026-01-01T00:00:00.000Z";
  return { date, versions, cpu: "a", cores: 2, platform: "linux x64", rounds: 3, quick: false, results, ...machine };
}

describe("the options", () => {
  it("are three whole rounds of everything by default, one with --quick", () => {
    expect(readOptions([])).toMatchObject({ rounds: 3, only: [], quick: false, publish: false, node24: false });
    expect(readOptions(["--quick", "--only", "a", "--only", "b"])).toMatchObject({ rounds: 1, only: ["a", "b"] });
    expect(readOptions(["--publish", "--rounds", "5", "--even-if-disturbed"])).toMatchObject({ evenIfDisturbed: true });
    expect(readTableOptions(["--write"])).toEqual({ write: true });
  });

  it.each([
    [["--rounds", "x"], "Expected --rounds to be a whole number from 1, received x."],
    [["--rounds", "0"], "Expected --rounds to be a whole number from 1, received 0."],
    [["--rounds", "-1"], "received: Option '--rounds' argument is ambiguous."],
    [["--rounds=-1"], "Expected --rounds to be a whole number from 1, received -1."],
    [["--rounds", "1.5"], "Expected --rounds to be a whole number from 1, received 1.5."],
    [["--nosuch"], /^Expected --rounds N, .* received: Unknown option '--nosuch'\.$/],
    [["relu"], /received: Unexpected argument 'relu'\.$/],
    [["--even-if-disturbed"], "Expected --even-if-disturbed only beside --publish."],
    [["--from", "a"], "Expected --from only beside --publish."],
  ])("that are wrong are named in one line: %s", (args, message) => {
    expect(refusal(() => readOptions(args))).toMatch(message);
    expect(refusal(() => readOptions(args))).not.toContain("\n");
  });

  it.each([
    [["--quick"], "--quick and 1 round:"],
    [["--quick", "--rounds", "3"], "--quick:"],
    [["--only", "relu"], "--only:"],
    [["--rounds", "2"], "2 rounds:"],
  ])("do not publish a part: %s", (args, received) => {
    expect(refusal(() => readOptions(["--publish", ...args]))).toContain(`received ${received} measure it all`);
    expect(refusal(() => readOptions(args))).toBe("");
  });
});

describe("the Node of published figures", () => {
  const install = (major: number) => {
    if (major !== 24) throw new Error(`Expected Node 24, received ${major}.`);
    return "node of 24";
  };

  it("is the one that runs, or else Node 24", () => {
    expect(node24("24.0.0", install)).toBe(process.execPath);
    expect(node24("100.0.0", install)).toBe(process.execPath);
    expect(node24("20.19.0", install)).toBe("node of 24");
  });

  it("is missing with npm's reason in one line", () => {
    const fail = () => {
      throw new Error("npm install failed: npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error errno");
    };
    expect(refusal(() => node24("22.1.0", fail))).toBe(
      "Expected Node 24 or newer, received 22.1.0, and none could be installed: npm install failed: npm error code ECONNREFUSED.",
    );
  });
});

describe("the processor", () => {
  it("is told from others of its name by family, model and vectors, where the system knows", () => {
    const info = "vendor_id\t: X\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: A\nflags\t\t: fma avx2 avx512f\n";
    expect(describeFrom("A", info)).toBe("A (family 25, model 17, AVX-512)");
    expect(describeFrom("A", info.replace(" avx512f", ""))).toBe("A (family 25, model 17, AVX2)");
    expect(describeFrom("M1", "")).toBe("M1");
  });
});

describe("a disturbed machine", () => {
  it("had a slow core, or one that others took for a tenth of the time", () => {
    expect(isDisturbed({ rate: 1, control: 40, share: 1 }, 40)).toBe(false);
    expect(isDisturbed({ rate: 1, control: 33, share: 1 }, 40)).toBe(true);
    expect(isDisturbed({ rate: 1, control: 40, share: 0.89 }, 40)).toBe(true);
    expect(isDisturbed({ rate: null, control: 0, share: 1 }, 40)).toBe(false);
  });

  it("leaves its rounds out, where there are others", () => {
    const round = (rate: number | null, control: number) => ({ rate, control, share: 1 });
    const mixed = [round(1, 30), round(10, 40), round(2, 30), round(12, 40)];
    expect(summarise(mixed, 40)).toEqual({ values: [1, 10, 2, 12], disturbed: 2, median: 11, spread: 2 / 11 });
    const never = summarise([round(1, 30), round(3, 30)], 40);
    expect(never).toEqual({ values: [1, 3], disturbed: 2, median: 2, spread: 1 });
    expect(isUnsound(never)).toBe(true);
    expect(isUnsound(summarise(mixed, 40))).toBe(false);
    const once = summarise([round(1, 30), round(10, 40), round(2, 30)], 40);
    expect(once).toEqual({ values: [1, 10, 2], disturbed: 2, median: 10, spread: null });
    expect([once, never, summarise(mixed, 40), summarise([round(1, 40)], 40)].map(isSingle)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(summarise([round(null, 0)], 40)).toEqual({ values: [], disturbed: 0, median: null, spread: null });
  });

  it("is not published in place of a sound one, and what is published says so", () => {
    const sound = report(40, 2);
    expect(describeDisturbance(sound, undefined)).toBeUndefined();
    expect(describeDisturbance(sound, report(45, 0))).toBeUndefined();
    expect(describeCaution(sound)).toBe(" The cores were slow or busy in all rounds of 2 of 21 figures, marked ~.");
    expect(describeCaution(report(40, 0))).toBe("");

    const disturbance = describeDisturbance(report(40, 3), undefined);
    expect(disturbance).toBe("the machine was disturbed: 3 of 21 figures");
    expect(describeCaution(report(40, 3, { disturbance }))).toBe(
      " The machine was disturbed: 3 of 21 figures, marked ~.",
    );
  });

  it("is one that was faster when last published, and no other", () => {
    const slower = "the machine was disturbed: its control loop ran at 40.0 GFLOPS, at 48.0 when last published";
    expect(describeDisturbance(report(40, 0), report(48, 0))).toBe(slower);
    expect(describeDisturbance(report(40, 0), report(48, 0, { cpu: "b" }))).toBeUndefined();
  });
});

describe("a figure", () => {
  it("has three significant digits, or so many", () => {
    expect([formatRate(1234.5), formatRate(12.345), formatRate(0.012345)]).toEqual(["1,230", "12.3", "0.0123"]);
    expect([formatRate(1234.5, 2), formatRate(12.345, 2), formatRate(0.9876, 2)]).toEqual(["1,200", "12", "0.99"]);
  });
});

describe("the distance of rounds", () => {
  /** Of a workload of its own, as its contestant in `column`. */
  const rounds = (contestant: string, values: number[], disturbed: number): Result => {
    const counted = values.slice(disturbed === values.length ? 0 : disturbed);
    const median = counted[Math.floor(counted.length / 2)];
    // As once published: 0 where a single round counts.
    const spread = (Math.max(...counted) - Math.min(...counted)) / median;
    return { workload: "a", title: "A", unit: "steps/s", contestant, values, median, spread, disturbed };
  };
  const results = [
    rounds("naive", [9, 10, 11], 0),
    rounds("tuned", [30, 20, 20], 1),
    rounds("simdgrad", [50, 80, 100], 2),
    rounds("simdgrad, relaxed", [100, 120, 140], 3),
  ];

  it("is that of the rounds that count, where there are two, and of all", () => {
    expect(describeSpread(report(40, 0, { results }))).toBe(
      " Where two rounds or more count, they lie 20 % apart in the median, 33 % at most." +
        " 1 of 4 figures rest on a single round, marked ¹." +
        " All rounds, the disturbed ones too, lie 42 % apart in the median, 63 % at most.",
    );
    expect(describeSpread(report(40, 0, { results: [results[2]] }))).toBe(
      " 1 of 1 figures rest on a single round, marked ¹." +
        " All rounds, the disturbed ones too, lie 63 % apart in the median, 63 % at most.",
    );
    expect(describeSpread(report(40, 0, { results: [results[0]] }))).not.toContain("¹");
    expect(describeSpread(report(40, 0, { rounds: 1, results: [{ ...results[0], values: [10] }] }))).toBe("");
  });

  it("marks in the table what rests on one round, or on none in which the machine was itself", () => {
    const [row] = markdown(report(40, 0, { results }))
      .split("\n")
      .slice(2);
    const cells = row.split("|").map((cell) => cell.trim());
    expect(cells).toEqual(["", "A", "steps/s", "10.0", "20.0", "100¹", "~120", "10x¹", "5.0x¹", ""]);
  });

  it("is in README as published", () => {
    expect(readFileSync("README.md", "utf8")).toContain(`\n${markdown(readReport("bench/results/latest.json"))}\n`);
  });
});

describe("publishing", () => {
  let folder = "";
  let published = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "simdgrad-bench-"));
    published = join(folder, "results/latest.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Every figure, on a machine whose control loop runs at `control`. */
  function whole(control: number, changes: Partial<Report> = {}): Report {
    const names = workloads.flatMap(({ name, contestants }) => Object.keys(contestants).map((c) => [name, c] as const));
    const results = names.map(([workload, name]) => ({ ...figure(name, control, 0), workload }));
    return report(control, 0, { results, ...changes });
  }
  const attempt = (results: Report, evenIfDisturbed = false) =>
    refusal(() => publish(results, "raw.json", { evenIfDisturbed }, published));

  it("takes every figure of three rounds on a current Node, and nothing less", () => {
    const { results } = whole(40);
    const figures = results.length;
    const failed = { ...results[1], median: null, failure: "it failed" };
    const part = `${figures - 1} of ${figures} figures`;
    expect(attempt(whole(40, { results: results.slice(1) }))).toContain(`received ${part}:`);
    expect(attempt(whole(40, { results: [results[0], failed, ...results.slice(2)] }))).toContain(`received ${part}:`);
    expect(attempt(whole(40, { rounds: 2 }))).toContain("received 2 rounds:");
    expect(attempt(whole(40, { versions: { node: "20.19.0", v8: "11" } }))).toContain("received Node 20.19.0:");
    expect(existsSync(published)).toBe(false);
    expect(attempt(whole(40))).toBe("");
    expect(readReport(published)).toEqual(whole(40));
  });

  it("leaves what is published where the machine became slow, or says so", () => {
    attempt(whole(48));
    expect(attempt(whole(40))).toMatch(/^Not published, raw\.json keeps .* at 40\.0 GFLOPS, at 48\.0 when/);
    expect(readReport(published)).toEqual(whole(48));
    expect(attempt(whole(40), true)).toBe("");
    expect(readReport(published).disturbance).toContain("its control loop ran at 40.0 GFLOPS");
  });

  it("reads raw results without their measurements, and no other file", () => {
    const file = join(folder, "raw.json");
    writeFileSync(file, JSON.stringify({ ...whole(40), measurements: [{ rate: 1 }] }));
    expect(readReport(file)).toEqual(whole(40));
    writeFileSync(file, "{}");
    expect(refusal(() => readReport(file))).toMatch(/^Expected results of a benchmark in .*, received: no results\.$/);
  });
});
