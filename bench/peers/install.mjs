// @ts-check
// The peers of package.json beside this file, in .cache/peers, and an OpenBLAS for PyTorch beside them.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../children.mjs";

export const CACHE = ".cache/peers";

const FILES = ["package.json", "package-lock.json"];
const MODULES = join(CACHE, "node_modules");
/** Written when everything is there, and gone with the folder that `npm ci` empties first. */
const STAMP = join(MODULES, ".complete");

/** Installs what is not there yet. All are optional, so `npm ci` succeeds without them, and without a network: what is
 *  missing is tried again next time. Install scripts do not run. @returns {Promise<string[]>} what is missing */
export async function installPeers() {
  const state = describeState();
  if (read(STAMP) === state) return [];
  console.error(`npm ci in ${CACHE}`);
  mkdirSync(CACHE, { recursive: true });
  for (const name of FILES) copyFileSync(`bench/peers/${name}`, join(CACHE, name));
  const args = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = await run("npm", args, { cwd: CACHE, shell: process.platform === "win32" });
  const missing = missingPeers();
  if (status === 0 && missing.length === 0) {
    writeFileSync(STAMP, state);
    return [];
  }
  const what = missing.length > 0 ? `missing: ${missing.join(", ")}` : "npm ci failed";
  console.error(`Not all peers are installed (${what}); tried again next time. The others compete.`);
  return missing.length > 0 ? missing : ["a package that another one needs"];
}

/** OpenBLAS for Debian's PyTorch, unpacked beside the peers; elsewhere PyTorch takes what it has. */
export async function installOpenBlas() {
  if (process.platform !== "linux" || existsSync(join(CACHE, "openblas"))) return;
  mkdirSync(CACHE, { recursive: true });
  const script = `rm -rf blas && mkdir blas && cd blas && apt-get download libopenblas0-pthread &&
    dpkg -x libopenblas0-pthread_*.deb . && mv usr/lib/*/openblas-pthread ../openblas && cd .. && rm -rf blas`;
  const { status } = await run("sh", ["-c", script], { cwd: CACHE, stdio: "ignore" });
  if (status !== 0) console.error("No OpenBLAS to be had: PyTorch runs on the BLAS that it finds.");
}

/** What the stamp says: the wanted packages, and where they run. */
function describeState() {
  const hash = createHash("sha256");
  for (const name of FILES) hash.update(readFileSync(`bench/peers/${name}`));
  return `${hash.digest("hex")} ${process.platform} ${process.arch}\n`;
}

/** Names of the wanted packages that do not lie there in the locked version, those for other platforms aside. */
function missingPeers() {
  const { packages } = JSON.parse(readFileSync("bench/peers/package-lock.json", "utf8"));
  return Object.keys(packages[""].optionalDependencies).filter((name) => {
    const { version, os, cpu } = packages[`node_modules/${name}`];
    const isForHere = admits(os, process.platform) && admits(cpu, process.arch);
    return isForHere && installedVersion(name) !== version;
  });
}

/** @param {string | readonly string[] | undefined} names the lock file's `os` or `cpu` @param {string} here */
const admits = (names, here) => names === undefined || [names].flat().includes(here);

/** @param {string} name */
function installedVersion(name) {
  try {
    return JSON.parse(read(join(MODULES, name, "package.json"))).version;
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
