// Trainings that end before their end: Ctrl-C, kill -9, and going on from the file.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/cli/outcome.ts";
import { load } from "../../src/index.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";
import { command, folder, json, PENGUINS, start } from "./support.ts";

const { path, file } = folder();
const args = (save: string, epochs: number, ...others: string[]) => [
  "train",
  PENGUINS,
  "--target",
  "species",
  "--hidden",
  "64,64",
  "--epochs",
  String(epochs),
  "--save",
  save,
  ...others,
];

const training = (save: string) =>
  JSON.parse(load(readFileSync(save)).metadata.training) as {
    finished: boolean;
    history: { epoch: number }[];
    epochs: number;
  };
const done = (save: string) => training(save).history.at(-1)?.epoch ?? 0;

/** Waits until the file says that epochs were finished. */
async function untilEpochs(save: string, epochs: number): Promise<void> {
  for (;;) {
    if (existsSync(save) && done(save) >= epochs) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("Ctrl-C", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s keeps what was reached, says how to go on, and going on ends as if nothing had been",
    async (signal) => {
      const [whole, cut] = [path(`whole-${signal}.safetensors`), path(`cut-${signal}.safetensors`)];
      // More than it ever makes: nothing depends on when the signal comes.
      const { child, ended } = start(args(cut, 1_000_000, "--checkpoint-every", "0.01"));
      await untilEpochs(cut, 3);
      child.kill(signal);
      const { code, err } = await ended;
      expect(code).toBe(130);
      expect(err).toMatch(
        /interrupted after \d+ of 1,000,000 epochs; kept in .*\. Go on with:\n {2}simdgrad train .* --resume\n$/,
      );
      const { history, finished } = training(cut);
      expect(finished).toBe(false);
      expect(history.length).toBeGreaterThanOrEqual(3);
      const epochs = history.length + 5;
      const more = ["--resume", "--epochs", String(epochs)];
      expect((await command(["train", PENGUINS, "--save", cut, ...more])).code).toBe(0);
      expect((await command(args(whole, epochs))).code).toBe(0);
      expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
    },
  );

  it("with early stopping goes on to the same end", async () => {
    const [whole, cut] = [path("whole-early.safetensors"), path("cut-early.safetensors")];
    const early = ["--patience", "400", "--learning-rate", "0.01"];
    const { child, ended } = start(args(cut, 1_000_000, "--checkpoint-every", "0", ...early));
    await untilEpochs(cut, 2);
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    const epochs = done(cut) + 5;
    const outcome = await json<Outcome>(["train", PENGUINS, "--save", cut, "--resume", "--epochs", String(epochs)]);
    expect(outcome.epochs).toHaveLength(epochs);
    await command(args(whole, epochs, ...early));
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
  });

  it("without --save says that nothing was kept", async () => {
    const { child, ended } = start(["train", PENGUINS, "--target", "species", "--epochs", "20000"]);
    await new Promise<void>((resolve) => child.stderr?.once("data", () => resolve()));
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain("nothing was kept");
  });
});

describe("kill -9", () => {
  const kills = LONG ? 100 : 10;

  /** The optimizer's steps that the file has seen. Errors: for a file that does not load. */
  const stepsIn = (save: string) => {
    const bytes = readFileSync(save);
    load(bytes);
    return (JSON.parse(readSafetensors(bytes).metadata.get("state") ?? "") as { step: number }).step;
  };

  it(`at ${kills} random moments leaves a file that loads, and training goes on from it`, async () => {
    const random = randomSource(99);
    const save = path("killed.safetensors");
    const first = args(save, 1_000_000);
    const next = ["train", PENGUINS, "--save", save, "--resume", "--epochs", "1000000"];
    let [steps, gains] = [0, 0];
    for (let kill = 0; kill < kills; kill++) {
      const before = existsSync(save) ? statSync(save).ino : 0;
      const { child, ended } = start([...(before ? next : first), "--checkpoint-every", "0"]);
      // Now and then while it starts; else once it writes, which it does after each step.
      const written = () => existsSync(save) && statSync(save).ino !== before;
      while (kill % 5 !== 4 && !written()) await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, random.uniform(0, 200)));
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      const now = stepsIn(save);
      // Nothing that was kept is lost again.
      expect(now).toBeGreaterThanOrEqual(steps);
      if (now > steps) gains++;
      steps = now;
      expect(training(save).finished).toBe(false);
    }
    expect(gains).toBeGreaterThan(kills / 2);
    const length = done(save);
    // Half-written files are swept up once they are old; others may be another program's.
    const halves = () => readdirSync(path(".")).filter((name) => name.endsWith(".tmp"));
    for (const name of halves()) utimesSync(path(name), new Date(0), new Date(0));
    file("others.tmp", "half");
    const line = ["train", PENGUINS, "--save", save, "--resume", "--epochs", String(length + 2)];
    const { epochs, saved } = await json<Outcome>(line);
    expect(epochs?.at(-1)?.epoch).toBe(length + 2);
    expect(saved).toBe(save);
    expect(stepsIn(save)).toBe((length + 2) * 9);
    expect(training(save).finished).toBe(true);
    expect(halves()).toEqual(["others.tmp"]);
  });
});

describe("--resume", () => {
  it("takes a finished training on to more epochs, as if they had been asked for at once", async () => {
    const save = path("more.safetensors");
    await command(args(save, 3));
    expect(await command(["train", PENGUINS, "--save", save, "--resume"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--epochs N"),
    });
    const { epochs } = await json<Outcome>(["train", PENGUINS, "--save", save, "--resume", "--epochs", "5"]);
    const whole = await json<Outcome>(args(path("once.safetensors"), 5));
    expect(epochs).toEqual(whole.epochs);
    expect(load(readFileSync(save)).weights).toEqual(load(readFileSync(path("once.safetensors"))).weights);
  });

  it("counts on where early stopping ended", async () => {
    const save = path("early.safetensors");
    const early = await json<Outcome>(args(save, 300, "--patience", "2", "--learning-rate", "0.05"));
    expect(early.stopped).toBe("early");
    const ended = early.epochs?.length as number;
    const { epochs } = await json<Outcome>(["train", PENGUINS, "--save", save, "--resume", "--epochs", `${ended + 2}`]);
    expect(epochs?.map(({ epoch }) => epoch)).toEqual(Array.from({ length: ended + 2 }, (_, i) => i + 1));
  });

  it("of thousands of epochs keeps some of them, the same as a training at once", async () => {
    const rows = Array.from({ length: 10 }, (_, i) => `${i},${i % 2}`).join("\n");
    const data = file("tiny.csv", `x,y\n${rows}\n`);
    const tiny = ["train", data, "--target", "y", "--hidden", "none", "--validation", "0", "--epochs"];
    const [cut, once] = [path("cut-long.safetensors"), path("once-long.safetensors")];
    await json([...tiny, "2003", "--save", cut]);
    const kept = training(cut).history.map(({ epoch }) => epoch);
    expect(kept).toEqual([...Array.from({ length: 1001 }, (_, i) => 2 * (i + 1)), 2003]);
    await json(["train", data, "--save", cut, "--resume", "--epochs", "4010"]);
    const whole = await json<Outcome>([...tiny, "4010", "--save", once]);
    expect(whole.epochs).toHaveLength(4010);
    expect(training(cut).history).toEqual(training(once).history);
    expect(training(cut).history).toHaveLength(1003);
    expect((await command(["inspect", cut])).out).toMatch(/^epochs +4010 of 4010, finished$/m);
  });

  it("refuses fewer epochs than are done", async () => {
    const save = path("fewer.safetensors");
    await command(args(save, 3));
    const model = load(readFileSync(save));
    const record = JSON.parse(model.metadata.training);
    model.metadata.training = JSON.stringify({ ...record, epochs: 9, finished: false });
    const cut = file("cut.safetensors", model.save());
    const { code, err } = await command(["train", PENGUINS, "--save", cut, "--resume", "--epochs", "2"]);
    expect([code, err]).toEqual([2, expect.stringContaining("--epochs of at least 3")]);
  });

  it("refuses other data, and files without a training", async () => {
    const save = path("data.safetensors");
    await command(args(save, 2));
    const other = file("other.csv", readFileSync(PENGUINS, "utf8").replace("39.1", "39.2"));
    expect(await command(["train", other, "--save", save, "--resume", "--epochs", "3"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("expected the data"),
    });
    rmSync(save);
    expect(await command(["train", PENGUINS, "--save", save, "--resume"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no such file"),
    });
  });
});

describe("the program", () => {
  it("prints, and ends with its code", async () => {
    const { ended } = start(["--help"]);
    expect(await ended).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Usage: simdgrad") });
    expect(await start(["train"]).ended).toMatchObject({ code: 2, out: "" });
  });
});
