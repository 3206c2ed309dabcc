// What is left of a benchmark's run, as a process, when something in it fails. Its figures are no test's.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compileControl } from "../bench/compile.mjs";
import { bundlePeers } from "../bench/peers/bundle.mjs";
import type { PeerReport } from "../bench/peers/report.ts";

describe("a name that is none", () => {
  it.each([["bench/main.mjs", "--node24"], ["bench/peers/main.mjs"]])(
    "is told by %s before anything is installed",
    (...command) => {
      const env = { ...process.env, npm_config_registry: "http://127.0.0.1:9" };
      const { status, stderr } = spawnSync(process.execPath, [...command, "--only", "nosuch"], {
        env,
        encoding: "utf8",
      });
      expect(stderr).toMatch(/^Expected --only to be part of one of [^\n]*; received nosuch\.\n$/);
      expect(status).toBe(2);
    },
  );
});

describe("a run of the peers", () => {
  /** With a cache of its own: the bundles and the control loop, no other loop of the machine's limits. */
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "simdgrad-peers-"));
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"), "junction");
    const cache = join(folder, ".cache/peers");
    mkdirSync(cache, { recursive: true });
    await bundlePeers(cache);
    compileControl("control", join(cache, "control.wasm"), "simd");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const cacheOf = (name: string) => join(folder, ".cache/peers", name);
  const rawFiles = () => readdirSync(join(folder, ".cache/peers")).filter((name) => name.startsWith("results-"));
  afterEach(() => {
    for (const name of rawFiles()) rmSync(cacheOf(name));
  });
  const rawResults = (): PeerReport & { measurements: unknown[] } => {
    expect(rawFiles()).toHaveLength(1);
    return JSON.parse(readFileSync(cacheOf(rawFiles()[0]), "utf8"));
  };
  const args = [".cache/peers/run.mjs", "--quick", "--only", "simdgrad strict", "--work", "4-16-3"];

  it("goes on without the limits whose loops fail", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    expect(stderr).toMatch(/^No limit by relaxed_madd: Error: ENOENT:/m);
    expect(stderr).toMatch(/^No limit by 128-bit loads: Error: ENOENT:/m);
    expect(stdout).toMatch(/^\| simdgrad strict \| ~?[\d,.]+ \|$/m);
    expect(stdout).toMatch(/one core does [\d.]+ GFLOPS of multiply and add\./);
    expect(rawResults().limits).toEqual({ strict: expect.any(Number), relaxed: null, weights: null });
    expect(status).toBe(0);
  });

  it("shows what it has when a signal ends it, and names the file that keeps it", async () => {
    const child = spawn(process.execPath, [...args, "--rounds", "1000"], { cwd: folder });
    const [stdout, messages] = [text(child.stdout), text(child.stderr)];
    const ended = once(child, "close");
    // The first figure is kept before the second contestant is announced.
    let announced = "";
    child.stderr.on("data", (chunk) => {
      announced += chunk;
      if (announced.includes("simdgrad strict, 2 threads")) child.kill("SIGINT");
    });
    expect(await ended).toEqual([130, null]);
    expect(await messages).toMatch(
      /^Interrupted: what follows is a part; \.cache\/peers\/results-.*\.json keeps it\.$/m,
    );
    expect(await messages).toContain(rawFiles()[0]);
    expect(await stdout).toMatch(/^\| simdgrad strict \| ~?[\d,.]+ \|$/m);
    expect(await stdout).toMatch(/median of \d+ rounds?,/);
    expect(rawResults().measurements.length).toBeGreaterThanOrEqual(1);
  });
});

it("a signal is passed on to what the work was handed over to, whose exit code counts", async () => {
  const worker = "process.on('SIGTERM', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1000)";
  const script = `import("./bench/children.mjs").then((it) => it.handOver(process.execPath, "-e", ${JSON.stringify(worker)}))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([7, null]);
});
