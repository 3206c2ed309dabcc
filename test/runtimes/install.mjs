// @ts-check
// What the runs stand on, in .cache/runtimes: the packed package installed into an empty project, and each runtime in
// a folder of its own, kept until its version changes.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = resolve(HERE, "../..");
const CACHE = join(ROOT, ".cache/runtimes");

export const APP = join(CACHE, "app");

/** Each runtime's version, and those of the examples' tools. @type {Readonly<Record<string, string>>} */
export const VERSIONS = JSON.parse(readFileSync(join(HERE, "versions.json"), "utf8"));

/** Packs the package and installs the tarball into an empty project with the spec, the entries and the data. */
export function installPackage() {
  rmSync(APP, { recursive: true, force: true });
  mkdirSync(APP, { recursive: true });
  writeFileSync(join(APP, "package.json"), '{ "private": true }\n');
  const [{ filename }] = JSON.parse(npm(ROOT, "pack", "--json", "--ignore-scripts", "--pack-destination", APP));
  npm(APP, "install", "--offline", "--ignore-scripts", `./${filename}`);
  for (const name of ["spec.mjs", "globals.mjs", "entries", "consumers"])
    cpSync(join(HERE, name), join(APP, name), { recursive: true });
  const digits = gunzipSync(readFileSync(join(ROOT, "data/digits.csv.gz"))).toString();
  writeFileSync(join(APP, "digits.mjs"), `export default ${JSON.stringify(digits)};\n`);
}

/** The folder that has this package of a runtime, which may be there from an earlier run. Errors: when npm fails.
 *  @param {string} name of VERSIONS @param {string} [packageName] where it is another
 *  @param {string[]} [beside] others of VERSIONS that it wants beside it */
export function installRuntime(name, packageName = name, beside = []) {
  const folder = join(CACHE, name);
  const packages = [`${packageName}@${VERSIONS[name]}`, ...beside.map((other) => `${other}@${VERSIONS[other]}`)];
  const wanted = packages.join(" ");
  const stamp = join(folder, "installed.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return folder;
  console.log(`npm install ${wanted}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  npm(folder, "install", "--ignore-scripts", "--save-exact", ...packages);
  writeFileSync(stamp, wanted);
  return folder;
}

/** @param {string} cwd @param {string[]} args */
function npm(cwd, ...args) {
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stdout, stderr, error } = spawnSync("npm", [...args, ...options], {
    cwd,
    encoding: "utf8",
    timeout: 180_000,
  });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
  return stdout;
}
