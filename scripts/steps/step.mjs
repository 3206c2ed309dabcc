// @ts-check
// A step of the build. It runs again when the content of its inputs, or of the build itself, is not what it was when its
// outputs were written; the stamps are in build/stamps/. Outputs appear by renaming, so no reader sees half a file.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** @typedef {{ name: string, inputs: string[], outputs: string[], run: () => void | Promise<void> }} Step */

/** @param {Step} step */
export async function perform({ name, inputs, outputs, run }) {
  const stamp = join("build", "stamps", name.replaceAll(/[^\w]+/g, "-"));
  const hash = hashOf([...inputs, "package-lock.json", "scripts/build.mjs", "scripts/steps"]);
  if (outputs.every((path) => existsSync(path)) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  const start = Date.now();
  await run();
  writeAtomically(stamp, hash);
  console.log(`built ${name} in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** @param {string[]} paths */
function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(files)) {
    const content = readFileSync(path);
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** @param {string} path @returns {string[]} */
export function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(`${path}/${name}`));
}

/** @param {string} path @param {string | Uint8Array} content */
export function writeAtomically(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

/** @param {string[]} args */
export function node(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${args[0]} failed.`);
}
