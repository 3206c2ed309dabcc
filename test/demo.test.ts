// The demo: its parts in process, and once each way as the program that users start.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runTrials, wobble } from "../examples/digits/compare.ts";
import { readDigits } from "../examples/digits/digits.ts";
import { classifier } from "../examples/digits/network.ts";
import { DemoError } from "../examples/digits/options.ts";
import { race } from "../examples/digits/race.ts";
import { run } from "../examples/digits/run.ts";
import { observe } from "../examples/digits/symmetry.ts";
import { terminalOn } from "../examples/digits/terminal.ts";

const ESCAPE = "\x1b";

/** What a run prints: to a pipe, or to a terminal with so many colours. */
async function output(args: string[], colors?: number): Promise<string> {
  const stream = new PassThrough();
  const tty = { isTTY: true, columns: 120, hasColors: (wanted = 16) => wanted <= (colors as number) };
  await run(args, terminalOn(colors === undefined ? stream : Object.assign(stream, tty)));
  return stream.read().toString();
}

describe("the data", () => {
  it("is the digits, every fifth row for the test", () => {
    const { train, test } = readDigits();
    expect([train.rows, test.rows]).toEqual([1437, 360]);
    expect([train.x.length, test.x.length]).toEqual([1437 * 64, 360 * 64]);
    // The first row, and with it the first test row, is a 0 whose third pixel is 5 of 16.
    expect([test.y[0], test.x[2]]).toEqual([0, 5 / 16]);
    expect(Math.max(...train.x)).toBe(1);
    expect(new Set(test.y).size).toBe(10);
  });
});

describe("training", () => {
  let piped: string;
  beforeAll(async () => {
    piped = await output(["--epochs", "2"]);
  });

  it("prints a line an epoch and no escape sequence to a pipe", () => {
    const epochs = piped.match(/^epoch .*$/gm) ?? [];
    expect(epochs).toHaveLength(2);
    expect(epochs[1]).toMatch(/^epoch 2\/2 {2}loss \d\.\d{4} {2}accuracy 0\.\d{4} {2}[\d,]+ rows\/s$/);
    expect(piped).not.toContain(ESCAPE);
  });

  it("prints the accuracy that the confusion matrix shows", () => {
    const accuracies = piped.match(/^test accuracy 0\.\d{4}$/gm) ?? [];
    const rows = [...piped.matchAll(/^ +(\d) \|(.*)$/gm)].map(([, , cells]) =>
      cells
        .trim()
        .split(/ +/)
        .map((cell) => (cell === "." ? 0 : Number(cell))),
    );
    expect(rows.map((row) => row.length)).toEqual(new Array(10).fill(10));
    expect(rows.flat().reduce((sum, n) => sum + n)).toBe(360);
    const right = rows.reduce((sum, row, digit) => sum + row[digit], 0);
    expect(accuracies).toEqual([`test accuracy ${(right / 360).toFixed(4)}`]);
    expect(piped).toContain(`of the ${right} that were read rightly`);
    expect(piped).toContain(`of the ${360 - right} that were read wrongly`);
  });

  it("draws digits, layers, memory and the race", () => {
    expect(piped).toMatch(/^ {4}--##\+\+\.\. {2}/m);
    expect(piped).toMatch(/^0 read as \d, \d+%/m);
    expect(piped).toMatch(/^0 +dense \(relu\)/m);
    expect(piped).toMatch(/^moments +38,\d{3}$/m);
    expect(piped).toMatch(/^speed-up \d+\.\dx over straightforward plain JS, \d+\.\dx over tuned plain JS$/m);
  });

  it("draws a bar, greys and colours on a terminal, with the same result", async () => {
    const live = await output(["--epochs", "2"], 256);
    expect(live).toMatch(/━+.* epoch 2\/2 {2}loss \d\.\d{4} {2}accuracy 0\.\d{4} {2}[\d,]+ rows\/s {2}0\.0 s left/);
    expect(live).not.toMatch(/^epoch /m);
    expect(live).toContain(`${ESCAPE}[48;5;232m`);
    expect(live).toContain(`${ESCAPE}[32m`);
    expect(live.match(/^test accuracy .*$/m)?.[0]).toBe(piped.match(/^test accuracy .*$/m)?.[0]);
  });

  it("draws a bar and characters on a terminal without colours", async () => {
    const live = await output(["--epochs", "1", "--init", "glorot"], 1);
    expect(live).toMatch(/━+.* epoch 1\/1 /);
    expect(live).toMatch(/^ {4}--##\+\+\.\. {2}/m);
    expect(live).not.toMatch(new RegExp(`${ESCAPE}\\[[\\d;]+m`));
  });

  it("races equal trainings", () => {
    const epochs = 2;
    const [own, ...plain] = race(readDigits(), classifier({ seed: 3 }), epochs, 3);
    expect(plain).toHaveLength(2);
    for (const { loss, accuracy } of plain) {
      // An Adam step moves a weight by at most the rate, and rounding changes it by rounding / |gradient| of that, so
      // the loss by rate * rounding a weight and step: 90 steps * 4,810 weights * 1e-3 * 2^-24 = 3e-5.
      expect(Math.abs(loss - own.loss)).toBeLessThan(3e-5);
      expect(Math.abs(accuracy - own.accuracy)).toBeLessThan(2 / 360);
    }
  });
});

describe("--compare", () => {
  it("trains four optimizers that all learn", async () => {
    const trials = await runTrials(readDigits(), { seed: 1, epochs: 3 });
    expect(trials.map(({ name }) => name)).toEqual(["SGD", "SGD, momentum 0.9", "RMSProp", "Adam"]);
    for (const { losses, finalLoss, testAccuracy, wobble } of trials) {
      expect(losses).toHaveLength(3);
      expect(finalLoss).toBeLessThan(losses[0] / 2);
      expect(testAccuracy).toBeGreaterThan(0.8);
      expect(wobble).toBeGreaterThan(0);
    }
    expect(new Set(trials.map(({ finalLoss }) => finalLoss)).size).toBe(4);
  });

  it("draws the curves with marks of their own and a table", async () => {
    const text = await output(["--compare", "--epochs", "3"]);
    for (const mark of ["s", "m", "r", "a"]) expect(text).toMatch(new RegExp(`[│┤].*${mark}`));
    expect(text).toMatch(/^s SGD +1 +(\d|-) +\d+\.\d % +\d\.\de-\d +0\.\d{4}$/m);
    expect(text).toMatch(/^a Adam +0\.03 /m);
    expect(text).toMatch(/^wobble: /m);
    expect(text).not.toContain(ESCAPE);
    const colored = await output(["--compare", "--epochs", "1"], 16);
    expect(colored).toContain(`${ESCAPE}[36ma${ESCAPE}[39m Adam`);
    expect(colored).toMatch(new RegExp(`[│┤].*\\${ESCAPE}\\[36ma`));
  });

  it("measures wobble around a moving average", () => {
    const straight = Array.from({ length: 50 }, (_, i) => 100 - i);
    const zigzag = straight.map((_, i) => 10 + (i % 2 === 0 ? 1 : -1));
    expect(wobble(straight, 5)).toBe(0);
    // The average over 5 is 10 +- 1/5 with the sign of its middle: 4/5 away, of a mean of 10.
    expect(wobble(zigzag, 5)).toBeCloseTo(0.08, 12);
    expect(wobble([1, 2, 1], 3)).toBeUndefined();
  });
});

describe("--init zeros", () => {
  const settings = { seed: 1, epochs: 3 };
  const observed = (activation: "sigmoid" | "relu", init: "zeros" | "he-normal" | "glorot-uniform") =>
    observe(readDigits(), settings, activation, init);

  it("keeps sigmoid units equal while they move", async () => {
    const { distinctBefore, distinctAfter, spread, moved } = await observed("sigmoid", "zeros");
    expect([distinctBefore, distinctAfter, spread]).toEqual([1, 1, 0]);
    expect(moved).toBeGreaterThan(0.01);
  });

  it("moves no ReLU unit at all", async () => {
    const { distinctAfter, spread, moved, testAccuracy } = await observed("relu", "zeros");
    expect([distinctAfter, spread, moved]).toEqual([1, 0, 0]);
    // The output's bias gives every digit the same answer: the accuracy is that digit's share.
    const { y } = readDigits().test;
    expect([...new Set(y)].map((digit) => y.filter((label) => label === digit).length / 360)).toContain(testAccuracy);
  });

  it.each(["glorot-uniform", "he-normal"] as const)("%s makes units different and learns", async (init) => {
    const { distinctBefore, distinctAfter, spread, moved, testAccuracy } = await observed("relu", init);
    expect([distinctBefore, distinctAfter]).toEqual([64, 64]);
    expect(Math.min(spread, moved)).toBeGreaterThan(0.01);
    expect(testAccuracy).toBeGreaterThan(0.6);
  });

  it("shows all that in a table", async () => {
    const text = await output(["--init", "zeros", "--epochs", "1"]);
    expect(text).toMatch(/^sigmoid, zeros +1 -> 1 +0 +0\.\d+ +0\.\d{4}$/m);
    expect(text).toMatch(/^relu, zeros +1 -> 1 +0 +0 +0\.\d{4}$/m);
    expect(text).toMatch(/^relu, he-normal +64 -> 64 +\d\.\d+ +0\.\d+ +0\.\d{4}$/m);
    expect(text).toContain("a single hidden unit");
  });
});

describe("a command line that cannot run", () => {
  const folder = mkdtempSync(join(tmpdir(), "simdgrad-demo-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const row = (label: string) => `${new Array(64).fill(1).join()},${label}\n`;

  it.each([
    [["--nonsense"], "Unknown option '--nonsense'"],
    [["nonsense"], "Unexpected argument 'nonsense'"],
    [["--epochs"], "--epochs"],
    [["--epochs", "0"], "at least 1"],
    [["--epochs", "1.5"], '"1.5"'],
    [["--seed", "-1"], "--seed"],
    [["--init", "toString"], "he-normal"],
    [["--compare", "--init", "he"], "choose one"],
    [["--data", join(folder, "nowhere.gz")], "no such file"],
    [["--data", file("plain.csv", row("1"))], "gzipped"],
    [["--data", file("label.gz", gzipSync(row("1") + row("10")))], "line 2"],
    [["--data", file("short.gz", gzipSync("1,2,3\n"))], "line 1"],
    [["--data", file("one.gz", gzipSync(row("1")))], "at least 2 rows"],
  ])("%j says what is wrong in a line", async (args, message) => {
    const error = await output(args).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DemoError);
    expect((error as DemoError).message).toContain(message);
    expect((error as DemoError).message).not.toContain("\n");
  });
});

describe("the program", () => {
  const program = fileURLToPath(new URL("../build/examples/digits.mjs", import.meta.url));
  const start = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("trains", () => {
    const { status, stdout, stderr } = start("--epochs", "1", "--seed", "7");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^test accuracy 0\.\d{4}$/m);
  });

  it("explains itself", () => {
    const { status, stdout } = start("--help");
    expect(status).toBe(0);
    for (const flag of ["--epochs", "--seed", "--init", "--compare", "--data"]) expect(stdout).toContain(flag);
  });

  it("fails in a line for an unknown flag", () => {
    const { status, stdout, stderr } = start("--nonsense");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^digits: Unknown option '--nonsense'.*\n$/);
  });
});
