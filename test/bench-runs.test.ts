// What is left of a benchmark's run, as a process, when something in it fails. Its figures are no test's.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

  const args = [".cache/peers/run.mjs", "--quick", "--only", "simdgrad strict", "--work", "4-16-3"];
  const rawResults = (): PeerReport => {
    const [name] = readdirSync(join(folder, ".cache/peers")).filter((each) => each.startsWith("results-"));
    return JSON.parse(readFileSync(join(folder, ".cache/peers", name), "utf8"));
  };

  it("goes on without the limits whose loops fail", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    expect(stderr).toMatch(/^No limit by relaxed_madd: Error: ENOENT:/m);
    expect(stderr).toMatch(/^No limit by 128-bit loads: Error: ENOENT:/m);
    expect(stdout).toMatch(/^\| simdgrad strict \| ~?[\d,.]+ \|$/m);
    expect(stdout).toMatch(/one core does [\d.]+ GFLOPS of multiply and add\./);
    expect(rawResults().limits).toEqual({ strict: expect.any(Number), relaxed: null, weights: null });
    expect(status).toBe(0);
  });
});
