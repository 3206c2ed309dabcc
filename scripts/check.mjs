// @ts-check
// `npm run check`: types, lint, format, floors, what is committed, published, compiled. Runs after ready.mjs.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkPackage } from "./package.mjs";
import { checkSize } from "./size.mjs";
import { checkSpills } from "./spills.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Each check returns what is wrong, or nothing. @type {Record<string, () => string | Promise<string>>} */
const checks = {
  types: () => tool("typescript/bin/tsc"),
  assembly: () => tool("assemblyscript/bin/asc.js", "assembly/infer.ts", "--target", "debug", "--noEmit"),
  "lint and format": () => tool("@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "--colors=off", "."),
  floors: () => tool("vitest/vitest.mjs", "run", "--no-color", "test/floors.test.ts"),
  text: checkText,
  package: checkPackage,
  size: checkSize,
  spills: checkSpills,
};

for (const [name, check] of Object.entries(checks)) {
  const start = Date.now();
  const problems = await attempt(check);
  console.log(`${problems ? "FAIL" : "ok  "} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (!problems) continue;
  console.log(problems);
  process.exitCode = 1;
}

/** A check that fails to run has found a problem too. @param {() => string | Promise<string>} check */
async function attempt(check) {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A tool of node_modules; warnings are problems too. @param {string} bin @param {string[]} args */
function tool(bin, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`node_modules/${bin}`, ...args], {
    encoding: "utf8",
  });
  return status !== 0 || /^WARNING /m.test(stderr) ? `${stdout}${stderr}` : "";
}

/** No absolute path of somebody's machine and no address of somebody's registry is committed. */
function checkText() {
  const machine = /(^|[^\w./-])(\/(home|root|work|Users)\/|[A-Z]:\\Users\\)/;
  const files = execFileSync("git", ["ls-files", "-z"], {
    encoding: "utf8",
  });
  const problems = [];
  for (const file of files.split("\0").filter(Boolean)) {
    const lines = readText(file).split("\n");
    for (const [i, line] of lines.entries()) {
      if (machine.test(line)) problems.push(`${file}:${i + 1}: a path of one machine: ${line.trim().slice(0, 100)}`);
    }
  }
  if (readText("package-lock.json").includes('"resolved"')) problems.push("package-lock.json names a registry's host");
  return problems.join("\n");
}

/** Empty for binary files and for those that were deleted but not yet committed. @param {string} file */
function readText(file) {
  try {
    const text = readFileSync(file, "utf8");
    return text.includes("\0") ? "" : text;
  } catch {
    return "";
  }
}
