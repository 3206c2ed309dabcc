// Files on disk: whole or not at all, whatever fails and whenever the process dies.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { adam, dense, SimdgradError, sequential } from "../../src/index.ts";
import { readWhole } from "../../src/io/read-file.ts";
import { loadFile, saveFile } from "../../src/node.ts";
import { LONG } from "../support/long.ts";
import { randomSource } from "../support/random.ts";

/** What the file system was asked for, in order; the call that it is to fail at. */
const disk = vi.hoisted(() => ({ calls: [] as string[], failAt: "", says: "EIO: i/o error", size: 0 }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs/promises")>();
  const asked = (call: string) => {
    disk.calls.push(call);
    if (call === disk.failAt) throw Object.assign(new Error(disk.says), { code: "EIO" });
  };
  const watched = (file: FileHandle, kind: string) =>
    new Proxy(file, {
      get(_, key: keyof FileHandle) {
        const value = file[key];
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          // A handle is closed whatever comes of it.
          const result = key === "close" ? await file.close() : undefined;
          asked(`${String(key)} ${kind}`);
          return key === "close" ? result : (value as (...args: unknown[]) => unknown).apply(file, args);
        };
      },
    });
  return {
    ...fs,
    open: async (...args: Parameters<typeof fs.open>) => {
      const kind = args[1] === "r" ? "folder" : "file";
      asked(`open ${kind}`);
      return watched(await fs.open(...args), kind);
    },
    stat: async (path: string) => {
      const stats = await fs.stat(path);
      return disk.size > 0 ? Object.assign(stats, { size: disk.size }) : stats;
    },
    rename: async (from: string, to: string) => {
      asked("rename");
      return fs.rename(from, to);
    },
    readdir: async (path: string) => {
      asked("readdir");
      return fs.readdir(path);
    },
  };
});

const model = sequential({ input: 4, layers: [dense(300, { activation: "relu" }), dense(2)] });
const bytes = Buffer.from(model.save());
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "simdgrad-"));
  disk.calls.length = 0;
});
afterEach(async () => {
  Object.assign(disk, { failAt: "", says: "EIO: i/o error", size: 0 });
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true });
});

/** RUNTIME that names the path and the reason, with what the system said as cause. */
async function expectRuntime(call: Promise<unknown>, path: string, reason: RegExp): Promise<void> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SimdgradError);
  const { code, message, cause } = error as SimdgradError;
  expect({ code, message }).toEqual({ code: "RUNTIME", message: expect.stringMatching(reason) });
  expect(message).toContain(JSON.stringify(path));
  expect(cause).toBeInstanceOf(Error);
}

describe("saveFile", () => {
  it("writes, syncs, renames, syncs the folder", async () => {
    const path = join(folder, "model.safetensors");
    await saveFile(model, path);
    expect(disk.calls.join(", ")).toBe(
      "open file, writeFile file, sync file, close file, rename, open folder, sync folder, close folder, readdir",
    );
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect((await loadFile(path)).weights).toEqual(model.weights);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("replaces an old file and keeps its permissions", async () => {
    for (const mode of [0o600, 0o640, 0o444, 0o666]) {
      const path = join(folder, `model ${mode}`);
      await writeFile(path, "old");
      await chmod(path, mode);
      await saveFile(model, path);
      expect((await stat(path)).mode & 0o7777).toBe(mode);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    }
  });

  it("gives a new file the permissions of any", async () => {
    await writeFile(join(folder, "any"), "");
    await saveFile(model, join(folder, "new"));
    expect((await stat(join(folder, "new"))).mode).toBe((await stat(join(folder, "any"))).mode);
  });

  it("takes options, file URLs, relative and long names", async () => {
    const path = join(folder, "ä #1".padEnd(200, "x"));
    await saveFile(model, pathToFileURL(path), { dtype: "f16" });
    expect((await readFile(path)).equals(Buffer.from(model.save({ dtype: "f16" })))).toBe(true);
    expect((await loadFile(pathToFileURL(path), { inference: true })).memory.regions.gradients).toBe(0);
    const here = process.cwd();
    process.chdir(folder);
    try {
      await saveFile(model, "here");
      expect((await loadFile("here")).weights).toEqual(model.weights);
    } finally {
      process.chdir(here);
    }
  });

  it("follows a link, and leaves other names of the old file alone", async () => {
    const [path, other, symbolic] = ["model", "other", "link"].map((name) => join(folder, name));
    await writeFile(path, "old");
    await link(path, other);
    await symlink(path, symbolic);
    await saveFile(model, symbolic);
    expect((await lstat(symbolic)).isSymbolicLink()).toBe(true);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await readFile(other, "utf8")).toBe("old");
  });

  it("follows links to what is not there yet, from whatever folder they are named", async () => {
    await mkdir(join(folder, "there"));
    await symlink("there", join(folder, "folder"));
    await symlink("../first", join(folder, "there", "second"));
    await symlink("there/model", join(folder, "first"));
    await saveFile(model, join(folder, "folder", "second"));
    for (const name of ["first", "there/second"]) {
      expect((await lstat(join(folder, name))).isSymbolicLink()).toBe(true);
    }
    expect((await lstat(join(folder, "there", "model"))).isFile()).toBe(true);
    expect((await readFile(join(folder, "first"))).equals(bytes)).toBe(true);
    await symlink("missing/model", join(folder, "nowhere"));
    await expectRuntime(saveFile(model, join(folder, "nowhere")), join(folder, "nowhere"), /ENOENT/);
    await symlink("round", join(folder, "round"));
    await expectRuntime(saveFile(model, join(folder, "round")), join(folder, "round"), /ELOOP/);
  });

  it("ends a reason that is a sentence with one period", async () => {
    const path = join(folder, "model");
    Object.assign(disk, { failAt: "open file", says: "Use --allow-fs-write to manage permissions." });
    await expectRuntime(saveFile(model, path), path, /to manage permissions\. [A-Z]/);
  });

  for (const failAt of ["open file", "chmod file", "writeFile file", "sync file", "close file", "rename"]) {
    it(`a failure at ${failAt} leaves the old file whole and nothing else`, async () => {
      const path = join(folder, "model");
      await writeFile(path, "old");
      disk.failAt = failAt;
      await expectRuntime(saveFile(model, path), path, /saveFile.*EIO/);
      expect(disk.calls).toContain(failAt);
      expect(await readFile(path, "utf8")).toBe("old");
      expect(await readdir(folder)).toEqual(["model"]);
    });
  }

  it("a folder that cannot be synced is told, with the new file in place", async () => {
    const path = join(folder, "model");
    disk.failAt = "sync folder";
    await expectRuntime(saveFile(model, path), path, /EIO/);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it("a missing folder, a folder in the file's place, a file in the folder's place", async () => {
    const missing = join(folder, "missing", "model");
    await expectRuntime(saveFile(model, missing), missing, /ENOENT/);
    await mkdir(join(folder, "empty"));
    await expectRuntime(saveFile(model, join(folder, "empty")), join(folder, "empty"), /folder/);
    await writeFile(join(folder, "file"), "old");
    const inFile = join(folder, "file", "model");
    await expectRuntime(saveFile(model, inFile), inFile, /ENOTDIR/);
    expect((await readdir(folder)).sort()).toEqual(["empty", "file"]);
  });

  it("a device stays one", async () => {
    await expectRuntime(saveFile(model, "/dev/null"), "/dev/null", /device/);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  it("a read-only folder", async () => {
    const path = join(folder, "model");
    await writeFile(path, "old");
    await chmod(folder, 0o555);
    // The superuser may write anywhere: nobody does it in his place.
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65534);
    try {
      await expectRuntime(saveFile(model, path), path, /EACCES/);
    } finally {
      if (root) process.seteuid?.(0);
    }
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  it("what is no path", async () => {
    for (const path of [undefined, 1, "", new URL("http://localhost/model")]) {
      for (const call of [saveFile(model, path as string), loadFile(path as string)]) {
        await expect(call).rejects.toMatchObject({
          code: "CONFIG",
          message: expect.stringMatching(/path or a file URL/),
        });
      }
    }
  });

  it("a model that does not save leaves no trace", async () => {
    const broken = model.clone();
    broken.metadata.key = 1 as unknown as string;
    await expect(saveFile(broken, join(folder, "model"))).rejects.toMatchObject({ code: "CONFIG" });
    expect(disk.calls).toEqual([]);
  });

  it("saves at the same time do not mix", async () => {
    const path = join(folder, "model");
    const models = Array.from({ length: 20 }, (_, seed) =>
      sequential({ input: 1 + seed * 40, layers: [dense(50)], seed }),
    );
    const files = models.map((one) => Buffer.from(one.save()));
    const whole = async () => {
      const found = await readFile(path);
      expect(files.some((file) => file.equals(found))).toBe(true);
    };
    await saveFile(models[0], path);
    let done = false;
    const saves = Promise.all(models.map((one) => saveFile(one, path))).then(() => {
      done = true;
    });
    while (!done) await whole();
    await saves;
    await whole();
    expect(await readdir(folder)).toEqual(["model"]);
  });
});

describe("loadFile", () => {
  it("reads what is larger than one piece", async () => {
    const path = join(folder, "model");
    await writeFile(path, bytes);
    for (const piece of [bytes.length - 1, 1000, bytes.length / 4, bytes.length]) {
      disk.calls.length = 0;
      expect(Buffer.compare(await readWhole(path, piece), bytes)).toBe(0);
      const reads = disk.calls.filter((call) => call.startsWith("read "));
      expect(reads).toHaveLength(piece < bytes.length ? Math.ceil(bytes.length / piece) : 0);
    }
    // Cut short between the look at its size and the read.
    disk.size = bytes.length + 5000;
    expect(Buffer.compare(await readWhole(path, 1000), bytes)).toBe(0);
  });

  it("what there is no memory for", async () => {
    const path = join(folder, "model");
    await writeFile(path, bytes);
    disk.size = 2 ** 53 - 1;
    const error = await loadFile(path).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "MEMORY", cause: expect.any(RangeError) });
    expect((error as SimdgradError).message).toContain(JSON.stringify(path));
    expect((error as SimdgradError).message).toContain(`${2 ** 53 - 1} bytes`);
  });

  it("says which file is damaged, and how", async () => {
    const path = join(folder, "model");
    await writeFile(path, bytes.subarray(0, -1));
    const error = await loadFile(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SimdgradError);
    const { code, message, hint, cause } = error as SimdgradError;
    expect(code).toBe("FORMAT");
    expect(message).toContain(`loadFile ${JSON.stringify(path)}: load: tensor "1.bias"`);
    expect(message.endsWith(`. ${hint}`)).toBe(true);
    expect(message.split(hint as string).length).toBe(2);
    expect(cause).toBeInstanceOf(SimdgradError);
  });

  it("a missing file and a folder are RUNTIME, wrong options CONFIG", async () => {
    await expectRuntime(loadFile(join(folder, "missing")), join(folder, "missing"), /loadFile.*ENOENT/);
    await expectRuntime(loadFile(folder), folder, /loadFile.*EISDIR/);
    await saveFile(model, join(folder, "model"));
    await expect(loadFile(join(folder, "model"), { maxBatch: 0 })).rejects.toMatchObject({ code: "CONFIG" });
  });
});

/** A process of its own, on the built package. */
function child(script: string, limit = "unlimited") {
  const dist = (name: string) => JSON.stringify(new URL(`../../dist/${name}.js`, import.meta.url).href);
  const text = `
    import { adam, dense, load, sequential } from ${dist("index")};
    import { loadFile, saveFile } from ${dist("node")};
    const path = ${JSON.stringify(join(folder, "model"))};
    ${script}`;
  const started = spawn(
    "bash",
    ["-c", `ulimit -f ${limit} && exec "$0" --input-type=module -e "$1"`, process.execPath, text],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let out = "";
  started.stdout.on("data", (data) => (out += data));
  started.stderr.on("data", (data) => (out += data));
  const ended = new Promise<string>((resolve) => started.on("close", () => resolve(out)));
  return { started, ended, out: () => out };
}

describe("a process that", () => {
  it("has no room left leaves the old file whole and no other", async () => {
    await writeFile(join(folder, "model"), "old");
    // Units: KiB of a file.
    const { ended } = child(
      `await saveFile(sequential({ input: 100, layers: [dense(100)] }), path)
         .catch(({ code, message, cause }) => console.log(code, cause.code, message));`,
      "16",
    );
    expect(await ended).toMatch(/^RUNTIME EFBIG saveFile: could not write ".*model": EFBIG/);
    expect(await readFile(join(folder, "model"), "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["model"]);
  });

  const kills = LONG ? 100 : 10;
  it(`is killed while it trains and saves leaves a file that goes on, ${kills} times`, async () => {
    const random = randomSource(77);
    const path = join(folder, "model");
    const config = {
      input: 6,
      layers: [dense(120, { activation: "tanh" }), dense(3, { activation: "softmax" })],
      loss: "cross-entropy",
      optimizer: adam(),
    } as const;
    const x = random.floats(60 * 6);
    const y = Int32Array.from({ length: 60 }, () => random.integer(3));
    // Saved after every batch, all of the time in saving; as many epochs as no run reaches.
    const script = `
      const x = Float32Array.from(${JSON.stringify([...x])});
      const y = Int32Array.from(${JSON.stringify([...y])});
      const model = await loadFile(path);
      await model.fit({ x, y }, { epochs: 1e6, batchSize: 7, resume: true, onBatch: async () => {
        await saveFile(model, path);
        console.log("saved");
      } });`;
    await saveFile(sequential(config), path);
    let steps = 0;
    for (let i = 0; i < kills; i++) {
      const { started, ended, out } = child(script);
      while (!out().includes("saved")) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, random.uniform(0, 40)));
      started.kill("SIGKILL");
      expect(await ended).toMatch(/^(saved\n)+$/);
      const reached = stepsOf(await readFile(path));
      expect(reached).toBeGreaterThan(steps);
      steps = reached;
    }
    // The same number of steps at once, bit for bit.
    const whole = sequential(config);
    const abort = new AbortController();
    let expected = Buffer.alloc(0);
    const onBatch = ({ step }: { step: number }) => {
      if (step !== steps) return;
      // Here, for after an epoch's last batch the run would go on to the next epoch first.
      expected = Buffer.from(whole.save());
      abort.abort();
    };
    await whole.fit({ x, y }, { epochs: 1e6, batchSize: 7, onBatch, signal: abort.signal }).catch(() => undefined);
    expect((await readFile(path)).equals(expected)).toBe(true);
    // A kill leaves at most its own temporary file.
    const left = (await readdir(folder)).filter((name) => name !== "model");
    expect(left.length).toBeLessThanOrEqual(kills);
    expect(left.every((name) => /^\.[0-9a-f]{16}-\d+-[0-9a-f-]{36}\.tmp$/.test(name))).toBe(true);
    // The next save sweeps up what nobody has touched for a while.
    await age(left);
    await saveFile(whole, path);
    expect(await readdir(folder)).toEqual(["model"]);
  });

  it("was stopped, not killed, keeps its temporary file, and ends its save", async () => {
    const path = join(folder, "model");
    const { started, ended, out } = child(`
      const model = sequential({ input: 1000, layers: [dense(2000)] });
      for (;;) { await saveFile(model, path); console.log("saved"); }`);
    // Until it is stopped in the middle of a write.
    const random = randomSource(5);
    const halves = async () => (await readdir(folder)).filter((name) => name.endsWith(".tmp"));
    let left: string[] = [];
    while (!out().includes("saved")) await new Promise((resolve) => setTimeout(resolve, 5));
    while (left.length === 0) {
      started.kill("SIGSTOP");
      // A moment later it has stopped indeed.
      await new Promise((resolve) => setTimeout(resolve, 20));
      left = await halves();
      if (left.length > 0) break;
      started.kill("SIGCONT");
      await new Promise((resolve) => setTimeout(resolve, random.uniform(0, 20)));
    }
    await age(left);
    await saveFile(model, path);
    expect(await halves()).toEqual(left);
    const { length } = out();
    started.kill("SIGCONT");
    while (out().length === length) await new Promise((resolve) => setTimeout(resolve, 5));
    started.kill("SIGKILL");
    expect(await ended).toMatch(/^(saved\n)+$/);
  });
});

describe("temporary files", () => {
  const name = (path: string, pid: number) =>
    `.${createHash("sha256").update(path).digest("hex").slice(0, 16)}-${pid}-0a1b2c3d-0000-4000-8000-0123456789ab.tmp`;

  it("are swept up when they are of the same target, of a process that is gone, and old", async () => {
    const gone = spawn(process.execPath, ["--version"]);
    await new Promise((resolve) => gone.on("close", resolve));
    const pid = gone.pid as number;
    const [swept, young, other] = [name("model", pid), name("model", pid).replace("0a1b", "ffff"), name("b", pid)];
    // Its own number, which an earlier process had, and that of one that lives.
    const [before, living] = [name("model", process.pid), name("model", process.ppid)];
    const strange = [".0a1b2c3d-0000-4000-8000-0123456789ab.tmp", `${swept}x`, "notes.tmp"];
    await Promise.all(
      [swept, young, other, before, living, ...strange].map((file) => writeFile(join(folder, file), "")),
    );
    await age([swept, other, living, before, ...strange]);
    await saveFile(model, join(folder, "model"));
    expect((await readdir(folder)).sort()).toEqual([young, other, living, ...strange, "model"].sort());
  });

  it("that cannot be listed are no failure of the save", async () => {
    const path = join(folder, "model");
    disk.failAt = "readdir";
    await saveFile(model, path);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

/** As if nobody had touched them for a day. */
async function age(names: readonly string[]): Promise<void> {
  const then = new Date(Date.now() - 86_400_000);
  for (const name of names) await utimes(join(folder, name), then, then);
}

function stepsOf(file: Buffer): number {
  const { __metadata__: metadata } = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString());
  return JSON.parse(metadata.state).step;
}
