// What is wrong is said in a line, with the right exit code; what was there stays, and nothing half is left.
import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command, PENGUINS, PROGRAM } from "./support.ts";

let folder: string;
const path = (name: string) => join(folder, name);
const file = (name: string, content: string | Uint8Array) => {
  writeFileSync(path(name), content);
  return path(name);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "simdgrad-misuse-"));
});
afterEach(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true });
});

const TRAIN = ["train", PENGUINS, "--target", "species", "--epochs", "1", "--quiet"];

/** Errors: where the message is no line, or is not what is wrong. */
async function expectRefused(args: readonly string[], code: number, message: string | RegExp): Promise<void> {
  const before = readdirSync(folder);
  const ended = await command(args);
  const [first, ...rest] = ended.err.split("\n");
  expect([ended.code, first]).toEqual([
    code,
    typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
  ]);
  expect(rest).toEqual(code === 2 ? [expect.stringMatching(/^simdgrad( \w+)? --help tells more\.$/), ""] : [""]);
  expect(first.length).toBeLessThan(1000);
  expect(first).not.toMatch(/\p{Cc}|SIMDGRAD_DEBUG|undefined|\[object/u);
  expect(readdirSync(folder)).toEqual(before);
}

describe("options", () => {
  const NUMBERS = ["epochs", "batch-size", "seed", "patience", "folds", "skip", "warmup", "decay-every", "threads"];
  const REALS = ["dropout", "learning-rate", "weight-decay", "validation", "checkpoint-every", "clip-norm", "decay"];
  const NAMES = [
    "task",
    "fill",
    "scale",
    "unknown",
    "activation",
    "optimizer",
    "simd",
    "decimal",
    "header",
    "schedule",
  ];

  it.each([...NUMBERS, ...REALS, "hidden"])("--%s takes no nonsense", async (name) => {
    for (const value of [
      "",
      " ",
      "NaN",
      "-1",
      "Infinity",
      "1e999",
      "0x",
      "12a",
      "--",
      "z".repeat(1e5),
      "\u001b[2J\n",
    ]) {
      await expectRefused([...TRAIN.slice(0, 4), `--${name}=${value}`], 2, `expected --${name} to be a`);
    }
  });

  it.each([...NUMBERS, "hidden"])("--%s counts in whole numbers that exist", async (name) => {
    for (const value of ["1.5", "1e3", "9007199254740993", "99999999999999999999999"]) {
      await expectRefused([...TRAIN.slice(0, 4), `--${name}=${value}`], 2, `expected --${name} to be a whole number`);
    }
  });

  it.each(NAMES)("--%s is one of its names", async (name) => {
    for (const value of ["", "NaN", "-1", "constructor", "z".repeat(1e5)]) {
      await expectRefused([...TRAIN, `--${name}=${value}`], 2, `expected --${name} to be one of `);
    }
  });

  it.each<[string[], string]>([
    [["--threads", "999"], 'expected --threads to be a whole number from 1 to 64, received "999".'],
    [["--folds", "345"], "expected --folds of at most the 344 rows, received 345."],
    [
      ["--validation", "0.0001"],
      "expected --validation to leave rows for training and for validation, received 0.0001",
    ],
    [["--delimiter", "xx"], 'expected --delimiter to be one character, received "xx".'],
    [["--delimiter", '"'], "expected --delimiter to be one character"],
    [["--save", ""], 'expected --save to be the name of a file, received "".'],
    [["--report", "a\0b"], 'expected --report to be the name of a file, received "a\\u0000b".'],
    [["--hidden", "4", "--hidden", "5"], "expected --hidden once, received it twice."],
    [["-o", "a", "--save", "b"], "expected --save once, received it twice."],
    [["--save"], "expected --save FILE, received no value."],
    [["-o"], "expected --save FILE, received no value."],
    [
      ["--save", "--seed"],
      'expected --save FILE, received the option "--seed"; --save=VALUE takes a value that begins',
    ],
    [["--save", "-q"], 'expected --save FILE, received the option "-q";'],
    [["--seed", "-1"], 'expected --seed to be a whole number of at least 0, received "-1".'],
    [["--learning-rate", "-.5"], 'expected --learning-rate to be a number of at least 0, received "-.5".'],
    [["--quiet=1"], 'expected --quiet without a value, received "1".'],
    [["--nonsense"], 'expected a known option, received "--nonsense". Known: --target, --save, --hidden, '],
    [["--epoch", "3"], 'received "--epoch". Did you mean --epochs?'],
    [["--lerning-rate=1"], 'received "--lerning-rate". Did you mean --learning-rate?'],
    [["--clip", "1"], 'received "--clip". Did you mean --clip-norm or --clip-value?'],
    [["--batchSize", "1"], 'received "--batchSize". Did you mean --batch-size?'],
    [["-x"], 'expected a known option, received "-x". Known: --target, '],
    [["-qx"], 'received "-x"'],
    [["--__proto__"], 'received "--__proto__"'],
    [["--constructor=1"], 'received "--constructor"'],
    [[`--${"z".repeat(1e6)}`], 'received "--zzz'],
    [["--epochs", "1"], "expected --epochs once"],
    [["--ignore", "a,,b"], 'expected --ignore to name a column, found no "a".'],
  ])("%j", async (args, message) => {
    await expectRefused([...TRAIN, ...args], 2, message);
  });

  it("of the other commands are checked alike", async () => {
    await expectRefused(["predict", "m", PENGUINS, "--output", ""], 2, "expected --output to be the name of a file");
    await expectRefused(["inspect", "m", "--data", ""], 2, "expected --data to be the name of a file");
    await expectRefused(["evaluate", "", PENGUINS], 2, "received an empty name");
    await expectRefused(["demo", "--seed=-1"], 2, "expected --seed to be a whole number");
    const same = path("same");
    await expectRefused(["demo", "--save", same, "--report", same], 2, "expected --report to be a file of its own");
  });
});

describe("files that are no data", () => {
  const long = "z".repeat(1e7);
  const cases: [string, string | Uint8Array, number, string | RegExp][] = [
    ["empty", "", 1, /empty: expected a header or rows, found neither\.$/],
    ["blank", "\n\n \n", 1, "expected a header or rows"],
    ["header", "a,b,y\n", 1, /header: expected rows after the header \(--header no: there is none\), found none\.$/],
    ["no-target", "a,b,y\n1,2,\n2,3,\n", 1, /no-target: expected rows with a y, found none\.$/],
    [
      "only-target",
      "y\n1\n2.5\n5\n",
      1,
      /only-target: expected columns beside the target to predict it from, found none\.$/,
    ],
    ["one-row", "a,b,y\n1,2,x\n", 2, 'at least 2 values, "y" has 1'],
    ["two-rows", "a,b,y\n1,2,x\n1,3,z\n", 2, "expected --validation to leave rows for training"],
    ["ragged", "a,b,y\n1,2,x\n1,z\n", 1, /ragged: expected 3 cells at row 3/],
    ["binary", Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256), 1, /binary: expected text in UTF-8/],
    ["zeros", new Uint8Array(5000), 1, "expected rows after the header"],
    ["utf16", Buffer.from("\ufeffa,y\n1,x\n", "utf16le"), 1, "expected text in UTF-8"],
    ["long-name", `a,${long},y\n1,2,x\n1,3,x\n`, 2, "at least 2 values"],
    ["long-line", long, 1, "expected rows after the header"],
    ["open-quote", `a,y\n1,"${long}\n`, 1, "that is never closed"],
    ["huge", "a,y\n1e300,1.5\n-1e300,2.5\n3,4.7\n3,1.2\n6,7.2\n", 1, "numbers that can be scaled"],
    ["no-inputs", "a,y\n1,1.5\n1,2.5\n1,4.7\n1,1.2\n1,7.2\n", 1, "to predict it from, found only a (always 1)."],
  ];

  it.each(cases)("%s", async (name, content, code, message) => {
    await expectRefused(["train", file(name, content), "--target", "last", "--epochs", "1"], code, message);
  });

  it("folders, and what is not there", async () => {
    await expectRefused(["train", folder, "--target", "y"], 1, `${folder}: a folder, no file.`);
    await expectRefused(["train", path("none"), "--target", "y"], 1, `${path("none")}: no such file or folder.`);
    await expectRefused(["train", join(PENGUINS, "x"), "--target", "y"], 1, "a file stands where a folder is expected");
    await expectRefused(["train", path("n".repeat(300)), "--target", "y"], 1, "a name too long");
  });

  it("are told with options, not with those of a program", async () => {
    const model = path("model");
    expect((await command([...TRAIN, "--save", model])).code).toBe(0);
    const evaluated = (name: string, change: (text: string) => string) => [
      "evaluate",
      model,
      file(name, change(readFileSync(PENGUINS, "utf8"))),
    ];
    await expectRefused(
      evaluated("heavy", (text) => text.replace("3750", "heavy")),
      1,
      /received "heavy"\. --missing lists cells that count as missing\.$/,
    );
    await expectRefused(
      evaluated("island", (text) => text.replace("Torgersen", "Atlantis")),
      1,
      /Known: .*\. --unknown zeros lets it pass\.$/,
    );
    const told = (name: string, content: string | Uint8Array, message: RegExp) =>
      expectRefused(["train", file(name, content), "--target", "last"], 1, message);
    await told(
      "ragged",
      "a,b,y\n1,2,x\n1,z\n",
      /; --skip passes over lines before the header, --header no is for files/,
    );
    await told("twice", "a,a,y\nx,y,z\n", /twice at row 1\. --header no is for files whose first row is data\.$/);
    await told("utf16", Buffer.from("\ufeffa,y\n1,x\n", "utf16le"), /Save the file as UTF-8\.$/);
    await told(
      "huge",
      "a,y\n1e300,1.5\n-1e300,2.5\n3,4.7\n3,1.2\n6,7.2\n",
      /Leave the column out \(--ignore\), or bring/,
    );
  });

  it("beside a model", async () => {
    const model = path("model");
    expect((await command([...TRAIN, "--save", model])).code).toBe(0);
    for (const [name, content] of cases) {
      const data = file(name, content);
      for (const args of [
        ["predict", model, data],
        ["evaluate", model, data],
        ["inspect", model, "--data", data],
      ]) {
        await expectRefused(args, 1, `${data}: expected `);
      }
      await expectRefused(["inspect", data], 1, "load: expected");
    }
    await expectRefused(["predict", model, folder], 1, "a folder, no file");
    await expectRefused(["predict", folder, PENGUINS], 1, "a folder, no file");
    await expectRefused(
      ["predict", model, PENGUINS, "--with", "nobody"],
      1,
      'penguins.csv: expected a column "nobody"',
    );
    const unknown = file("unknown", readFileSync(PENGUINS, "utf8").replace("Torgersen", "Atlantis"));
    await expectRefused(["evaluate", model, unknown], 1, /unknown: .*"island" at row 2, received "Atlantis"/);
  });

  it("a column of gaps is left out, gaps elsewhere are filled", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `NaN,${i % 3 ? i : "NaN"},${i % 2}`).join("\n");
    const { code, out } = await command(["train", file("gaps", `a,b,y\n${rows}\n`), "--target", "y", "--epochs", "1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^a +left out +20 +empty$/m);
    expect(out).toMatch(/^b +number +7 +1 to 19$/m);
  });

  it("more different targets than a call takes arguments", async () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i % 7},${i / 8}`).join("\n");
    const args = ["--target", "y", "--epochs", "1", "--hidden", "none", "--batch-size", "4096", "--quiet"];
    expect(await command(["train", file("many", `x,y\n${rows}\n`), ...args])).toMatchObject({ code: 0, err: "" });
  });

  it("a row of megabytes is not read over and over", async () => {
    // Each piece of a stream is looked at as often as the text doubles: 10 times, not 1,200 times.
    const model = path("model");
    await command([...TRAIN, "--save", model]);
    const [before, start] = [process.cpuUsage(), file("wide", `a,${"z".repeat(8e7)},y\n1,2,x\n`)];
    await expectRefused(["predict", model, start], 1, "expected");
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(20);
  });
});

describe("outputs", () => {
  it.each(["--save", "--report"])("%s that cannot be written is said at once", async (option) => {
    mkdirSync(path("folder"));
    const never = [...TRAIN.map((arg) => (arg === "1" ? "99999999" : arg)), option];
    await expectRefused([...never, path("no/where")], 1, `${path("no/where")}: no such file or folder.`);
    await expectRefused([...never, path("folder")], 1, `${path("folder")}: a folder, no file.`);
    await expectRefused([...never, join(PENGUINS, "x")], 1, "a file stands where a folder is expected");
    await expectRefused([...never, path("n".repeat(300))], 1, "a name too long");
    if (option === "--save") await expectRefused([...never, "/dev/null"], 1, "/dev/null: a device or a pipe, no file.");
  });

  it("of a training that fails are as they were, or not there", async () => {
    const [save, report] = [file("save", "old model"), file("report", "old page")];
    const diverging = [...TRAIN, "--learning-rate", "1e30"];
    await expectRefused([...diverging, "--save", save, "--report", report], 1, "diverged");
    expect([readFileSync(save, "utf8"), readFileSync(report, "utf8")]).toEqual(["old model", "old page"]);
    await expectRefused([...diverging, "--save", path("new"), "--report", path("new page")], 1, "diverged");
  });

  it("of predictions that fail in the middle are as they were, or not there", async () => {
    const model = path("model");
    await command([...TRAIN, "--save", model]);
    const [heading, ...rows] = readFileSync(PENGUINS, "utf8").trim().split("\n");
    const many = Array.from({ length: 30 }, () => rows).flat();
    const data = file("data", [heading, ...many, "Adelie,Atlantis,1,1,1,1,MALE", ""].join("\n"));
    const old = file("old", "old");
    await expectRefused(["predict", model, data, "--output", old], 1, '"island" at row 10322, received "Atlantis"');
    expect(readFileSync(old, "utf8")).toBe("old");
    await expectRefused(["predict", model, data, "--output", path("new")], 1, "Atlantis");
    symlinkSync(old, path("link"));
    expect((await command(["predict", model, PENGUINS, "--output", path("link")])).code).toBe(0);
    expect(readFileSync(old, "utf8")).toMatch(/^prediction\nAdelie\n/);
  });
});

/** The program, started by a shell: "$0" "$1" ARGS. */
async function shell(script: string): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn("bash", ["-c", `set -o pipefail; ${script}`, process.execPath, PROGRAM], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece) => {
    out += piece;
  });
  child.stderr.on("data", (piece) => {
    err += piece;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}

describe("the program in a shell", () => {
  const train = `"$0" "$1" train ${PENGUINS} --target species --epochs 20`;

  it("has a reader that has seen enough", async () => {
    expect(await shell(`${train} --quiet | head -1`)).toEqual({
      code: 0,
      out: expect.stringMatching(/^.*344 rows.*\n$/),
      err: "",
    });
    // With something to keep it goes on; nobody reading its progress is no reason to end either.
    expect(await shell(`${train} --save model 2>&1 | head -1`)).toMatchObject({ code: 0, err: "" });
    expect(await shell(`"$0" "$1" predict model ${PENGUINS} | head -1`)).toEqual({
      code: 0,
      out: "prediction\n",
      err: "",
    });
    expect(await shell(`"$0" "$1" inspect model --json | head -1`)).toEqual({ code: 0, out: "{\n", err: "" });
  });

  it("has a disk that is full", async () => {
    const full = { code: 1, out: "" };
    expect(await shell(`${train} --quiet > /dev/full`)).toEqual({ ...full, err: "simdgrad: stdout: no space left.\n" });
    expect(await shell(`"$0" "$1" demo --csv > /dev/full`)).toEqual({
      ...full,
      err: "simdgrad: stdout: no space left.\n",
    });
    expect((await shell(`${train} --quiet --save model`)).code).toBe(0);
    expect(await shell(`"$0" "$1" predict model ${PENGUINS} -o /dev/full`)).toEqual({
      ...full,
      err: "simdgrad predict: /dev/full: no space left.\n",
    });
    expect(await shell(`"$0" "$1" predict model ${PENGUINS} > /dev/full`)).toMatchObject(full);
    const report = await shell(`${train} --quiet --epochs=1 --report /dev/full`.replace("--epochs 20", ""));
    expect([report.code, report.err]).toEqual([1, "simdgrad train: /dev/full: no space left.\n"]);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("writes to a pipe where one is named", async () => {
    await shell(`${train} --quiet --save model`);
    const piped = await shell(`"$0" "$1" predict model ${PENGUINS} -o /dev/stdout | cat`);
    expect(piped).toMatchObject({ code: 0, out: expect.stringMatching(/^prediction\nAdelie\n/), err: "" });
  });

  it("is interrupted while it predicts", async () => {
    await shell(`${train} --quiet --save model`);
    // Rows come, then nothing more, from a pipe of a name and from stdin: it waits until it is told to stop.
    const found = await shell(
      `mkfifo rows && exec 9<> rows && cat ${PENGUINS} >&9
      for data in rows -; do
        "$0" "$1" predict model $data -o out < rows > log 2>&1 & pid=$!
        until ls .*.tmp > /dev/null 2>&1; do sleep 0.05; done
        kill -INT $pid; wait $pid; echo $? $(cat log)
      done
      rm rows log`,
    );
    expect(found.out).toBe("130 simdgrad predict: interrupted.\n".repeat(2));
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  it("may not write what is protected, nor into a folder that is", async () => {
    await shell(`${train} --quiet --save model`);
    const [old] = [file("old", "old")];
    chmodSync(old, 0o444);
    // Root may write anything: as nobody, where that can be had.
    chmodSync(folder, 0o555);
    const nobody = process.getuid?.() === 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
    for (const name of ["old", "new"]) {
      const { code, err } = await shell(`${nobody}"$0" "$1" predict model ${PENGUINS} -o ${name}`);
      expect([code, err]).toEqual([1, `simdgrad predict: ${name}: no permission.\n`]);
      const train = await shell(`${nobody}"$0" "$1" ${TRAIN.join(" ")} --save ${name}`);
      expect([train.code, train.err]).toEqual([1, `simdgrad train: ${name}: no permission.\n`]);
    }
    expect(readFileSync(old, "utf8")).toBe("old");
  });
});
