// `simdgrad train`: what it takes columns and targets for, how good it gets, what it keeps.
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ClassScores, NumberScores } from "../../src/cli/metrics.ts";
import type { Outcome } from "../../src/cli/outcome.ts";
import { load } from "../../src/index.ts";
import { randomSource } from "../support/random.ts";
import { BREAST_CANCER, command, folder, json, PENGUINS, PROGRAM, start } from "./support.ts";

const { path, file } = folder();
const together = ({ crossValidation }: Outcome) => crossValidation?.together as ClassScores;

/** Rooms, a noisy price, a name a row, a constant and an empty column. */
function houses(rows: number): string {
  const random = randomSource(12);
  const lines = Array.from({ length: rows }, (_, i) => {
    const [rooms, size] = [1 + random.integer(6), 20 + random.integer(200)];
    const price = 1000 * size + 20_000 * rooms + random.uniform(-3000, 3000);
    return `house ${i},${rooms},${size},${random.pick(["north", "south"])},yes,,${price.toFixed(0)}`;
  });
  return `name,rooms,size,side,roof,notes,price\n${lines.join("\n")}\n`;
}

describe("penguins and breast cancer", () => {
  it("penguins: at least 0.97 cross-validated accuracy for species", async () => {
    const outcome = await json<Outcome>(["train", PENGUINS, "--target", "species", "--folds", "10"]);
    const { accuracy, confusion } = together(outcome);
    expect(accuracy).toBeGreaterThanOrEqual(0.97);
    expect(outcome.task).toBe("multi-class");
    expect(confusion?.flat().reduce((sum, n) => sum + n)).toBe(344);
    expect(outcome.crossValidation?.folds).toHaveLength(10);
  });

  it("breast cancer: at least 0.96 unweighted, and more of the malignant found with a weight of 5", async () => {
    const recalls = { plain: 0, weighted: 0 };
    for (const seed of ["0", "1", "2", "3", "4"]) {
      const args = [
        "train",
        BREAST_CANCER,
        "--skip",
        "1",
        "--target",
        "last",
        "--folds",
        "5",
        "--epochs",
        "30",
        "--seed",
        seed,
      ];
      const plain = await json<Outcome>(args);
      const weighted = await json<Outcome>([...args, "--class-weight", "0=5"]);
      expect(plain.task).toBe("binary");
      expect(together(plain).accuracy).toBeGreaterThanOrEqual(0.96);
      expect(together(plain).classes[0].name).toBe("0");
      recalls.plain += together(plain).classes[0].recall / 5;
      recalls.weighted += together(weighted).classes[0].recall / 5;
    }
    expect(recalls.weighted).toBeGreaterThan(recalls.plain);
  });
});

describe("columns and tasks", () => {
  it("shows what columns are taken for", async () => {
    const { out } = await command(["train", file("houses.csv", houses(60)), "--target", "price", "--epochs", "1"]);
    expect(out).toMatch(/^name +left out +60 categories, nearly one a row$/m);
    expect(out).toMatch(/^rooms +number +1 to 6$/m);
    expect(out).toMatch(/^side +category +north, south$/m);
    expect(out).toMatch(/^roof +left out +always yes$/m);
    expect(out).toMatch(/^notes +left out +60 +empty$/m);
    expect(out).toMatch(/^price +target +\d+ to \d+$/m);
    expect(out).toMatch(/^task: regression of price; --task tells otherwise$/m);
  });

  it("shows cells in one line, and what keeps a column from being numbers", async () => {
    const odd = (i: number) => (i % 6 === 1 ? `none ${i}` : i);
    const rows = Array.from({ length: 60 }, (_, i) => `${odd(i)},"${i % 3}\nup\u001b[2J",${i / 2},${i % 5 || "x"}`);
    const args = ["--target", "y", "--epochs", "1"];
    const { out } = await command(["train", file("odd.csv", `a,b,y,c\n${rows.join("\n")}\n`), ...args]);
    expect(out).toMatch(/^a +left out +60 categories, nearly one a row: "none 1" at row 3 is no number$/m);
    expect(out).toMatch(/^b +category +0\\nup\\u001b\[2J, 1\\nup/m);
    expect(out).toMatch(/^c +category +1, 2, 3, 4, x: "x" at row 2 is no number$/m);
    const names = file("text.csv", `a,b,y\n${rows.map((_, i) => `house ${i},${i},${i}`).join("\n")}\n`);
    expect((await command(["train", names, ...args])).out).toMatch(/nearly one a row$/m);
  });

  describe("text that looks like numbers", () => {
    const [heading, ...rows] = houses(100).trim().split("\n");
    const changed = (name: string, change: (cells: string[], i: number) => string) =>
      file(name, [heading, ...rows.map((row, i) => change(row.split(","), i))].join("\n"));
    const withSize = (name: string, sizeOf: (size: string, i: number) => string) =>
      changed(name, (cells, i) => [...cells.slice(0, 2), sizeOf(cells[2], i), ...cells.slice(3)].join(","));
    const withPrice = (name: string, priceOf: (price: string, i: number) => string) =>
      changed(name, (cells, i) => [...cells.slice(0, 6), priceOf(cells[6], i)].join(","));
    const decimals = file("decimals.csv", `a;y\n${rows.map((_, i) => `${i % 7},5;${i},25`).join("\n")}\n`);

    it.each<[string, string, string[], RegExp]>([
      [
        "an odd cell",
        withSize("odd-size.csv", (size, i) => (i === 3 ? "not known" : size)),
        [],
        /column "size" at row 5, received "not known", where 99 of 100 cells are numbers\. --missing 'not known' takes .*; --categories size takes all for categories, --ignore leaves the column out\./,
      ],
      [
        "an odd target",
        withPrice("odd-price.csv", (price, i) => (i === 3 ? "-" : price)),
        [],
        /column "price" at row 5, received "-", where 99 .* --missing - takes .*; --task classification takes/,
      ],
      [
        "an odd target of a regression",
        withPrice("odd-price.csv", (price, i) => (i === 3 ? "-" : price)),
        ["--task", "regression"],
        /column "price" at row 5, received "-"/,
      ],
      [
        "decimal commas",
        decimals,
        ["-t", "y"],
        /decimal point in column "y" at row 2, received "0,25"\. --decimal , reads/,
      ],
      [
        "dollars",
        withPrice("dollars.csv", (price) => `"$${price.slice(0, -3)},${price.slice(-3)}"`),
        [],
        /without other signs in column "price" at row 2, received "\$.*\. Write numbers without currencies/,
      ],
      [
        "thousands",
        withPrice("thousands.csv", (price) => `"${price.slice(0, -3)},${price.slice(-3)}"`),
        [],
        /column "price" at row 2, .*\. Write numbers without signs between thousands, or --decimal , reads/,
      ],
      [
        "the header again",
        file("twice.csv", `${houses(100)}${houses(50)}`),
        [],
        /at row 102, .* The header stands there/,
      ],
    ])("%s is said", async (_, data, args, message) => {
      const target = args[0] === "-t" ? [] : ["-t", "price"];
      const { code, err, out } = await command(["train", data, ...target, ...args, "--epochs", "1"]);
      expect([code, out, err.trim()]).toEqual([1, "", expect.stringMatching(message)]);
      expect(err).toMatch(`simdgrad train: ${data}: expected a number`);
    });

    it("goes its way when told which", async () => {
      const size = withSize("odd-size.csv", (size, i) => (i === 3 ? "not known" : size));
      const roles = async (data: string, ...args: string[]) => {
        const { columns, task } = await json<Outcome>(["train", data, "--epochs", "1", "--hidden", "none", ...args]);
        return [task, ...(columns ?? []).map(({ role }) => role)];
      };
      const target = ["-t", "price"];
      const others = ["category", "left out", "left out", "target"];
      expect(await roles(size, ...target, "--missing", "not known")).toEqual([
        ...["regression", "left out", "number", "number"],
        ...others,
      ]);
      expect(await roles(size, ...target, "--categories", "size")).toEqual([
        ...["regression", "left out", "number", "category"],
        ...others,
      ]);
      expect(await roles(size, ...target, "--ignore", "size")).toEqual([
        ...["regression", "left out", "number", "left out"],
        ...others,
      ]);
      expect(await roles(decimals, "-t", "y", "--decimal", ",")).toEqual(["regression", "number", "target"]);
      const price = withPrice("odd-price.csv", (price, i) => (i === 3 ? "-" : price));
      const classes = [...target, "--task", "classification", "--validation", "0", "--ignore", "name"];
      expect((await roles(price, ...classes))[0]).toBe("multi-class");
    });
  });

  it("predicts a price in its own units", async () => {
    const outcome = await json<Outcome>([
      "train",
      file("houses.csv", houses(400)),
      "--target",
      "price",
      "--epochs",
      "60",
    ]);
    const { r2, rootMeanSquaredError, meanAbsoluteError } = outcome.validation as NumberScores;
    // The noise alone is 1,732; the price's deviation is about 70,000.
    expect(rootMeanSquaredError).toBeGreaterThan(1000);
    expect(rootMeanSquaredError).toBeLessThan(7000);
    expect(meanAbsoluteError).toBeLessThan(rootMeanSquaredError);
    expect(r2).toBeGreaterThan(0.98);
  });

  it.each<[string, string[], Outcome["task"]]>([
    ["0\n1\n0\n1\n0\n1", [], "binary"],
    ["no\nyes\nno\nyes\nno\nyes", [], "binary"],
    ["1\n2\n3\n1\n2\n3", [], "multi-class"],
    ["5\n7\n9\n5\n7\n9", [], "regression"],
    ["0.5\n1\n1.5\n2\n2.5\n3", [], "regression"],
    ["1\n2\n3\n1\n2\n3", ["--task", "regression"], "regression"],
    ["5\n7\n9\n5\n7\n9", ["--task", "classification"], "multi-class"],
  ])("takes %j with %j as %s", async (targets, args, task) => {
    const text = `x,y\n${targets
      .split("\n")
      .map((y, i) => `${i},${y}`)
      .join("\n")}\n`;
    const outcome = await json<Outcome>([
      "train",
      file("task.csv", text),
      "--target",
      "y",
      "--epochs",
      "1",
      "--validation",
      "0",
      ...args,
    ]);
    expect(outcome.task).toBe(task);
  });

  it("leaves out rows without a target", async () => {
    const { out } = await command(["train", PENGUINS, "--target", "sex", "--missing", ".", "--epochs", "1"]);
    expect(out).toMatch(/^left out: 11 rows without a sex$/m);
    expect(out).toMatch(/binary classification of sex, 2 classes/);
  });

  it("takes columns as it is told", async () => {
    const args = [
      "--target",
      "4",
      "--ignore",
      "name,notes",
      "--categories",
      "rooms",
      "--header",
      "yes",
      "--epochs",
      "1",
    ];
    const { columns, task } = await json<Outcome>(["train", file("houses.csv", houses(60)), ...args]);
    expect(columns?.find(({ name }) => name === "rooms")).toMatchObject({
      role: "category",
      detail: "1, 2, 3, 4, 5, 6",
    });
    expect(columns?.find(({ name }) => name === "side")).toMatchObject({ role: "target" });
    expect(task).toBe("binary");
  });
});

describe("training", () => {
  it("prints lines to a pipe, and a bar and a chart on a terminal", async () => {
    const args = ["train", PENGUINS, "--target", "species", "--epochs", "3", "--hidden", "8"];
    const piped = await command(args);
    expect(piped.code).toBe(0);
    expect(
      piped.err.match(
        /^epoch \d\/3 {2}loss \d\.\d{4} {2}accuracy \d\.\d{4} {2}validation loss \d\.\d{4} {2}validation accuracy \d\.\d{4} {2}[\d,]+ rows\/s$/gm,
      ),
    ).toHaveLength(3);
    expect(piped.out).toMatch(/^Training 10-8-3, 115 parameters, on 275 rows, 69 rows kept for validation$/m);
    expect(piped.out + piped.err).not.toContain("\x1b");
    const live = await command(args, { tty: true });
    expect(live.err).toMatch(
      /━.* epoch 3\/3 {2}loss, accuracy \d\.\d{4} \d\.\d{4} {2}validation \d\.\d{4} \d\.\d{4} {2}[\d,]+ rows\/s {2}0\.0 s left/,
    );
    expect(live.out).toMatch(/loss.*by epoch/);
    expect(live.out).toContain("\x1b[32m");
    expect((await command([...args, "--quiet"])).err).toBe("");
  });

  it("gives equal files for equal command lines, and others for another seed", async () => {
    const bytes = async (name: string, ...args: string[]) => {
      await command(["train", PENGUINS, "--target", "species", "--epochs", "3", "--save", path(name), ...args]);
      return readFileSync(path(name)).toString("latin1");
    };
    const first = await bytes("a.safetensors");
    expect(await bytes("b.safetensors", "--checkpoint-every", "0")).toBe(first);
    expect(await bytes("c.safetensors", "--seed", "1")).not.toBe(first);
  });

  it("stops early and keeps the best epoch", async () => {
    const args = [
      "train",
      PENGUINS,
      "--target",
      "species",
      "--epochs",
      "500",
      "--patience",
      "5",
      "--learning-rate",
      "0.02",
    ];
    const outcome = await json<Outcome>([...args, "--save", path("early.safetensors")]);
    const epochs = outcome.epochs ?? [];
    expect(outcome.stopped).toBe("early");
    expect(epochs.length).toBeLessThan(500);
    const losses = epochs.map(({ validationLoss }) => validationLoss as number);
    expect(outcome.bestEpoch).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(epochs.length).toBe((outcome.bestEpoch as number) + 5);
  });

  it("passes options on to the network", async () => {
    const save = path("spec.safetensors");
    await command([
      "train",
      PENGUINS,
      "--target",
      "species",
      "--epochs",
      "1",
      "--save",
      save,
      "--hidden",
      "5,4",
      "--activation",
      "gelu",
      "--optimizer",
      "adamw",
      "--learning-rate",
      "0.01",
      "--weight-decay",
      "0.1",
      "--batch-size",
      "10",
      "--seed",
      "3",
    ]);
    const { spec } = load(readFileSync(save));
    expect(spec.layers.map((layer) => [layer.kind, "units" in layer ? layer.units : 0])).toEqual([
      ["dense", 5],
      ["dense", 4],
      ["dense", 3],
    ]);
    expect(spec.layers[0]).toMatchObject({ activation: "gelu" });
    expect(spec.optimizer).toMatchObject({ kind: "adamw", learningRate: 0.01, weightDecay: 0.1 });
    expect(spec).toMatchObject({ input: 10, seed: 3, loss: { kind: "cross-entropy" } });
    const minimal = ["train", PENGUINS, "--target", "species", "--epochs", "1", "--save", save];
    await command([...minimal, "--hidden", "none"]);
    expect(load(readFileSync(save)).spec.layers).toHaveLength(1);
    await command([...minimal, "--hidden", "5,4", "--dropout", "0.25"]);
    const { layers } = load(readFileSync(save)).spec;
    expect(layers.map(({ kind }) => kind)).toEqual(["dense", "dropout", "dense", "dropout", "dense"]);
    expect(layers[1]).toMatchObject({ rate: 0.25 });
  });

  it("balances classes by their counts", async () => {
    const random = randomSource(4);
    // One in ten is rare, and lies amid the others: without weights nobody would call any row rare.
    const rows = Array.from(
      { length: 400 },
      (_, i) => `${i % 10 === 0 ? random.uniform(0.3, 0.8) : random.uniform()},${i % 10 === 0 ? "rare" : "usual"}`,
    );
    const args = [
      "train",
      file("rare.csv", `x,y\n${rows.join("\n")}\n`),
      "--target",
      "y",
      "--folds",
      "4",
      "--epochs",
      "40",
    ];
    const recall = (outcome: Outcome) => together(outcome).classes[0].recall;
    const plain = recall(await json<Outcome>(args));
    const balanced = recall(await json<Outcome>([...args, "--class-weight", "balanced"]));
    expect(balanced).toBeGreaterThan(plain + 0.2);
  });
});

describe("a command line that cannot run", () => {
  it.each<[string[], number, string]>([
    [["nonsense"], 2, "expected a command"],
    [["train"], 2, "expected FILE.csv"],
    [["train", PENGUINS, "more"], 2, "expected FILE.csv"],
    [["train", PENGUINS], 2, "--target"],
    [["train", PENGUINS, "--target", "specie"], 2, "species, island"],
    [["train", PENGUINS, "--nonsense"], 2, "--nonsense"],
    [["train", PENGUINS, "--target", "species", "--epochs", "0"], 2, "--epochs"],
    [["train", PENGUINS, "--target", "species", "--epochs", "1.5"], 2, "--epochs"],
    [["train", PENGUINS, "--target", "species", "--hidden", "8,x"], 2, "--hidden"],
    [["train", PENGUINS, "--target", "species", "--optimizer", "newton"], 2, "adamw"],
    [["train", PENGUINS, "--target", "species", "--validation", "1"], 2, "--validation"],
    [["train", PENGUINS, "--target", "species", "--task", "regression"], 2, "is text"],
    [["train", PENGUINS, "--target", "species", "--ignore", "beak"], 2, '"beak"'],
    [["train", PENGUINS, "--target", "species", "--class-weight", "5"], 2, "CLASS=WEIGHT"],
    [["train", PENGUINS, "--target", "species", "--class-weight", "Emperor=5"], 2, '"Emperor"'],
    [["train", PENGUINS, "--target", "body_mass_g", "--class-weight", "a=5"], 2, "--class-weight"],
    [["train", PENGUINS, "--resume"], 2, "--save"],
    [["train", PENGUINS, "--resume", "--save", "x", "--hidden", "3"], 2, "--hidden"],
    [["train", "nowhere.csv", "--target", "x"], 1, "nowhere.csv: no such file"],
    [["train", BREAST_CANCER, "--target", "last"], 1, "row 2"],
    [["train", PENGUINS, "--target", "species", "--save", "nowhere/model"], 1, "no such file"],
    [["train", PENGUINS, "--target", "species", "--learning-rate", "1e30", "--epochs", "5"], 1, "diverged"],
    [
      ["train", PENGUINS, "--target", "species", "--report", "nowhere/r.html", "--epochs", "9999999"],
      1,
      "no such file",
    ],
    [["train", PENGUINS, "--target", "species", "--save", `${PENGUINS}/model`], 1, "a file stands where a folder"],
    [["predict", "nowhere", PENGUINS], 1, "nowhere: no such file"],
    [["predict", PENGUINS, PENGUINS], 1, "safetensors"],
    [["evaluate", PENGUINS], 2, "MODEL and FILE.csv"],
    [["inspect"], 2, "MODEL"],
    [["demo", "file"], 2, "no file"],
  ])("%j ends with %d", async (args, code, part) => {
    const ended = await command(args);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(part);
    expect(ended.err).toMatch(/^(epoch .*\n)*simdgrad( \w+)?: /);
    expect(ended.err).not.toMatch(/^ +at /m);
    expect(ended.err).not.toContain("SIMDGRAD_DEBUG");
  });
});

describe("what is on the disk", () => {
  it("is not written over by what comes of it, under no name", async () => {
    const data = file("mine.csv", houses(40));
    symlinkSync(data, path("link.csv"));
    const before = readFileSync(data);
    const model = path("model.safetensors");
    const args = ["train", data, "--target", "price", "--epochs", "1", "--quiet"];
    for (const [option, wrong] of [
      ["--save", data],
      ["--save", path("link.csv")],
      ["--report", data],
    ]) {
      const { code, err } = await command([...args, option, wrong]);
      expect([code, err]).toEqual([2, expect.stringContaining(`expected ${option} to be a file of its own`)]);
    }
    expect((await command([...args, "--save", model, "--report", model])).code).toBe(2);
    expect((await command([...args, "--save", model])).code).toBe(0);
    const saved = readFileSync(model);
    for (const wrong of [data, path("link.csv"), model]) {
      const { code, err } = await command(["predict", model, data, "--output", wrong]);
      expect([code, err]).toEqual([2, expect.stringContaining("expected --output to be a file of its own")]);
    }
    expect(readFileSync(data)).toEqual(before);
    expect(readFileSync(model)).toEqual(saved);
  });
});

describe("classes of very few rows", () => {
  it("that no row is left of for training are named", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},name ${i}`);
    const names = file("names.csv", `x,y\n${rows.join("\n")}\n`);
    const two = rows.map((_, i) => `${i},${i % 2 ? "x" : "z"}`);
    const single = file("single.csv", `x,y\n${two.join("\n")}\n9,rare\n`);
    const args = ["--target", "y", "--epochs", "1"];
    const all = await command(["train", names, ...args]);
    expect([all.code, all.err]).toEqual([
      1,
      expect.stringMatching(/every y in the part for training, none of "name \d+"/),
    ]);
    expect((await command(["train", names, ...args, "--validation", "0"])).code).toBe(0);
    expect((await command(["train", single, ...args])).code).toBe(0);
    const folds = await command(["train", single, ...args, "--folds", "3"]);
    expect([folds.code, folds.err]).toEqual([1, expect.stringContaining('no row of the class "rare"')]);
  });
});

describe("help", () => {
  it.each(["train", "predict", "evaluate", "inspect", "demo"])("of %s has options and examples", async (name) => {
    const { code, out } = await command([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: simdgrad ${name}`));
    expect(out).toMatch(/^ {2}simdgrad /m);
    expect(out).toContain("--help");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("has examples that run as they stand, after each other", async () => {
    const pages = await Promise.all(
      [[], ...["train", "predict", "evaluate", "inspect", "demo"].map((name) => [name])].map(
        async (name) => (await command([...name, "--help"])).out,
      ),
    );
    const examples = pages.flatMap((page) => page.slice(page.indexOf("\nExamples:\n")).match(/^ {2}\S.*$/gm) ?? []);
    expect(examples).toHaveLength(18);
    const script = ['simdgrad() { "$0" "$PROGRAM" "$@"; }', "set -e", ...new Set(examples)].join("\n");
    const shell = spawnSync("sh", ["-c", script, process.execPath], {
      cwd: path("."),
      env: { ...process.env, PROGRAM },
      encoding: "utf8",
    });
    expect([shell.status, shell.stderr]).toEqual([0, expect.not.stringContaining("simdgrad")]);
    // A point is no third sex.
    expect(shell.stdout.match(/^sex +category +11 +FEMALE, MALE$/gm)).toHaveLength(4);
    expect(shell.stdout).toContain("going on after 100 epochs, to 200");
  });

  it("tells the version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await command(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
    expect(await start(["--version"]).ended).toMatchObject({ code: 0, out: `${version}\n` });
  });

  it("of the whole names all commands", async () => {
    for (const args of [[], ["--help"], ["help"]]) {
      const { code, out } = await command(args);
      expect(code).toBe(0);
      for (const name of ["train", "predict", "evaluate", "inspect", "demo"]) expect(out).toContain(`\n  ${name} `);
    }
  });
});
