// @ts-check
// No loop of a matrix product's tile keeps a vector on the stack: disassembles what this Node's optimizing compiler
// makes of the kernels. V8 has 15 registers for vectors; a tile that needs a 16th loses up to half of its speed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** All functions compiled at once and by the optimizing compiler alone, instead of when and as they are needed. */
const FLAGS = ["--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code"];
const COMPILE = "new WebAssembly.Module(require('node:fs').readFileSync(process.argv[1]))";

const MULTIPLY = /^vmulps|^vfn?madd\d+ps/;
/** A value of A for all lanes. Constants come from fixed addresses, without a second register. */
const BROADCAST = /^vbroadcastss xmm\d+,\[r\w+\+r\w+\*1/;
/** Where B lies in panels, a k further is 8 floats further. */
const PANEL_STEP = /^(add|lea)[lq] .*\b0x20\b/;
const STORE = /^(?!cmp)\S+ \[/;
/** A vector on the stack. The check that V8 puts into each loop, of the stack's limit or for an interrupt, reads memory
 *  too, but no vector: only its rarely taken way out, which stands behind the loop, saves any. */
const SPILL = /xmm\d+,.*\[r[bs]p|\[r[bs]p[^\]]*\],xmm/;

/** What is wrong with the tiles of all builds, one a line. */
export function checkSpills() {
  return ["build/strict.wasm", "build/relaxed.wasm", "build/infer.wasm"].map(spillsOf).filter(Boolean).join("\n");
}

/** @param {string} file */
function spillsOf(file) {
  /** @param {string} reason */
  const unchecked = (reason) => {
    console.log(`     ${file}: not checked for spills, ${reason}`);
    return "";
  };
  if (process.arch !== "x64") return unchecked(`the code of ${process.arch} is not known here`);
  if (!WebAssembly.validate(readFileSync(file))) return unchecked("the engine lacks its instructions");
  const { stdout } = spawnSync(process.execPath, [...FLAGS, "-e", COMPILE, file], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (!/^compiler: TurboFan$/m.test(stdout ?? "")) return unchecked("the engine shows no disassembly");
  if (!/\bvbroadcastss\b/.test(stdout)) return unchecked("the processor has no AVX");
  const tiles = stdout.split("--- WebAssembly code ---").flatMap(innermostLoops).filter(isTile);
  if (!tiles.some(isPacked)) return `${file}: found no loop of the packed tile among ${tiles.length} of tiles`;
  console.log(`     ${file}: ${tiles.length} loops of tiles`);
  return tiles.flatMap((loop) => describe(file, loop)).join("\n");
}

/** @param {string} file @param {string[]} loop @returns {string[]} */
function describe(file, loop) {
  const spills = loop.filter((line) => SPILL.test(line));
  if (spills.length === 0) return [];
  const tile = isPacked(loop) ? "the packed tile" : "a tile";
  const what = `a loop of ${tile} with ${count(loop, MULTIPLY)} products uses vectors on the stack`;
  return [`${file}: ${what}, expected none:`, ...spills.map((line) => `  ${line}`)];
}

/** The bodies of one function's loops that contain no other loop. @param {string} code @returns {string[][]} */
function innermostLoops(code) {
  /** @type {string[]} */
  const lines = [];
  /** @type {Map<number, number>} */
  const lineAt = new Map();
  /** @type {[from: number, to: number][]} */
  const loops = [];
  for (const [, offset, line] of code.matchAll(/^0x[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ +(.*?) *$/gm)) {
    lineAt.set(Number.parseInt(offset, 16), lines.length);
    const target = /^j\w+ .*<\+0x([0-9a-f]+)>/.exec(line);
    const from = target ? lineAt.get(Number.parseInt(target[1], 16)) : undefined;
    if (from !== undefined && !isWayBack(lines, from)) loops.push([from, lines.length]);
    lines.push(line);
  }
  return loops
    .filter(([from, to]) => !loops.some(([f, t]) => f >= from && t <= to && t - f < to - from))
    .map(([from, to]) => lines.slice(from, to + 1));
}

/** Right after that check: its way out comes back here. @param {string[]} lines @param {number} at */
function isWayBack(lines, at) {
  return at > 1 && /cmpq rsp,.*\njna |^cmpb \[r13.*,0x0\njnz /.test(`${lines[at - 2]}\n${lines[at - 1]}`);
}

/** At least 4 products, values of A from memory to all lanes, nothing stored but the packed B of the packing tile, one
 *  vector for each 4 products. @param {string[]} loop */
function isTile(loop) {
  const products = count(loop, MULTIPLY);
  const stores = loop.filter((line) => STORE.test(line) && !SPILL.test(line)).length;
  return products >= 4 && count(loop, BROADCAST) > 0 && (stores === 0 || stores * 4 === products);
}

/** The packed tile has 8 columns: two products for each value of A. @param {string[]} loop */
function isPacked(loop) {
  return count(loop, MULTIPLY) === 2 * count(loop, BROADCAST) && loop.some((line) => PANEL_STEP.test(line));
}

/** @param {string[]} loop @param {RegExp} pattern */
function count(loop, pattern) {
  return loop.filter((line) => pattern.test(line)).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(fileURLToPath(new URL("..", import.meta.url)));
  const problems = checkSpills();
  console.log(problems || "no spills");
  if (problems) process.exitCode = 1;
}
