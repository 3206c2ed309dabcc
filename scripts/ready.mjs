// @ts-check
// Makes a clone ready: installs when the lock file changed, then builds what changed. Built-in modules only, because
// it runs before anything is installed. Arguments go on to the build (`npm run build -- --debug`).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const lock = join(root, "build", ".lock");
const installed = join(root, "node_modules", ".simdgrad-installed");

process.chdir(root);
requireNode(20, 19);
await acquire();
try {
  install();
  const { build } = await import("./build.mjs");
  await build({ debug: process.argv.includes("--debug") });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(lock, { recursive: true, force: true });
}

/** @param {number} major @param {number} minor */
function requireNode(major, minor) {
  const [hasMajor = 0, hasMinor = 0] = process.versions.node.split(".").map(Number);
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return;
  console.error(`Expected Node ${major}.${minor} or newer, found ${process.versions.node}.`);
  process.exit(1);
}

/** One at a time: making a directory is atomic, and it names its owner so that a dead owner's lock can be taken. */
async function acquire() {
  mkdirSync(join(root, "build"), { recursive: true });
  for (let waited = 0; ; waited++) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, "pid"), String(process.pid));
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    if (waited === 50) console.log("waiting for another build");
    if (waited % 10 === 9 && ownerIsGone()) rmSync(lock, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function ownerIsGone() {
  let owner = "";
  try {
    owner = readFileSync(join(lock, "pid"), "utf8");
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    // No pid yet: its owner is between two lines of acquire(), or died there a second ago.
    return owner === "" || /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH";
  }
}

/** Nothing that we use needs its install scripts: native parts come as packages of their own. */
function install() {
  const hash = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  if (read(installed) === hash) return;
  console.log("npm ci");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env["npm_execpath"];
  const result = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...args], { stdio: ["ignore", "ignore", "inherit"] })
    : spawnSync("npm", args, { stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" });
  if (result.status !== 0) throw new Error("npm ci failed.");
  writeFileSync(installed, hash);
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
