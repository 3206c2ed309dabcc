// @ts-check
// The loops in control/, which measure what the machine allows.
import { spawnSync } from "node:child_process";

/** Ends this process where the compiler fails. @param {"control" | "bandwidth"} source @param {string} path
 *  @param {string} features of WebAssembly, with commas */
export function compileControl(source, path, features) {
  const flags = ["--config", "none", "-O3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--enable", features];
  const args = ["node_modules/assemblyscript/bin/asc.js", `bench/control/${source}.ts`, "-o", path, ...flags];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
