// @ts-check
// `npm run test:runtimes`: packs the package, installs it into an empty project, runs one spec in each runtime and
// compares the hashes of what it computed. Runs after ready.mjs.
// Then the edge example is tested in workerd.
import { runAround } from "../../examples/edge/run.mjs";
import { orExit, parse, UsageError } from "../../scripts/usage.mjs";
import { CONSUMERS } from "./consumers.mjs";
import { installPackage, VERSIONS } from "./install.mjs";
import { RUNTIMES } from "./runtimes.mjs";

/** @typedef {{ name: string, version: string, verdict: string, ms: number, red: boolean }} Row */

const EXAMPLE = "edge-example";
const known = [...RUNTIMES, ...CONSUMERS];
const { all, only } = await orExit(readOptions);
const chosen = known.filter(({ name, tier }, i) => {
  return only ? i === 0 || only.some((start) => name.startsWith(start)) : all || tier !== "all";
});

installPackage();
/** @type {{ name: string, hashes: Record<string, string> } | undefined} */
let reference;
/** @type {Row[]} */
const rows = [];
for (const runtime of chosen) rows.push(await test(runtime));
if (!only || only.some((start) => EXAMPLE.startsWith(start))) rows.push(await testExample());
print(rows);
process.exitCode = rows.some(({ red }) => red) ? 1 : 0;

/** Errors: UsageError. */
function readOptions() {
  const names = [...known.map(({ name }) => name), EXAMPLE];
  const help = `Packs the package, runs it on each runtime and compares the bits of what each computed; then the edge example.

  npm run test:runtimes                those that CI has
  npm run test:runtimes -- --all       also those that CI leaves out; what cannot run here then counts as a failure
  npm run test:runtimes -- --only deno

Options
  --all          all of them
  --only NAME    those whose name starts with NAME, and the first one to compare with; may be repeated
  --help         this page

Runtimes: ${names.join(", ")}.`;
  const options = /** @type {const} */ ({ all: { type: "boolean" }, only: { type: "string", multiple: true } });
  const { all = false, only } = parse(process.argv.slice(2), "--all or --only NAME", options, help);
  const unknown = only?.find((start) => !names.some((name) => name.startsWith(start)));
  if (unknown === undefined) return { all, only };
  throw new UsageError(`Expected --only to be the start of one of ${names.join(", ")}; received ${unknown}.`);
}

/** @param {import("./runtimes.mjs").Runtime} runtime @returns {Promise<Row>} */
async function test({ name, tier, prepare, run }) {
  let version = "-";
  try {
    version = prepare();
  } catch (error) {
    explain(name, error);
    return { name, version, verdict: "not here", ms: 0, red: all || only !== undefined || tier === "required" };
  }
  const start = performance.now();
  let hashes;
  let problems;
  try {
    hashes = await run();
    problems = hashes ? compare(name, hashes) : "";
  } catch (error) {
    problems = explain(name, error);
  }
  const ms = performance.now() - start;
  return { name, version, verdict: problems || (hashes ? "equal" : "passed"), ms, red: problems !== "" };
}

/** The Worker of examples/edge; red as well when miniflare cannot be had. @returns {Promise<Row>} */
async function testExample() {
  const start = performance.now();
  const status = await runAround("test/runtimes/edge.ts").catch((error) => {
    explain(EXAMPLE, error);
    return 1;
  });
  const ms = performance.now() - start;
  return {
    name: EXAMPLE,
    version: VERSIONS["miniflare"],
    verdict: status ? "failed" : "passed",
    ms,
    red: status !== 0,
  };
}

/** Empty when all hashes are those of the first runtime that gave any.
 *  @param {string} name @param {Record<string, string>} hashes */
function compare(name, hashes) {
  reference ??= { name, hashes };
  const keys = new Set([...Object.keys(reference.hashes), ...Object.keys(hashes)]);
  const different = [...keys].filter((key) => hashes[key] !== reference?.hashes[key]);
  for (const key of different) {
    console.error(`${name}: ${key}: ${hashes[key]}, ${reference.name} has ${reference.hashes[key]}`);
  }
  return different.length > 0 ? `${different.length} of ${keys.size} differ` : "";
}

/** @param {string} name @param {unknown} error */
function explain(name, error) {
  console.error(`${name}: ${error instanceof Error ? error.message : error}`);
  return "failed";
}

/** @param {Row[]} rows */
function print(rows) {
  const lines = rows.map(({ name, version, verdict, ms, red }) => {
    return [red ? "FAIL" : verdict === "not here" ? "-" : "ok", name, version, verdict, ms ? ms.toFixed(0) : "-"];
  });
  console.log();
  for (const [mark, name, version, verdict, ms] of [["", "runtime", "version", "hashes", "ms"], ...lines]) {
    console.log(`${mark.padEnd(4)} ${name.padEnd(17)} ${version.padEnd(17)} ${verdict.padEnd(14)} ${ms.padStart(6)}`);
  }
  const count = Object.keys(reference?.hashes ?? {}).length;
  const equal = rows.filter(({ verdict }) => verdict === "equal").length;
  const passed = rows.filter(({ verdict }) => verdict === "passed").length;
  console.log(`\n${count} hashes, the same in ${equal} of ${rows.length - passed} runs; ${passed} passed without any.`);
}
