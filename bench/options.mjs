// @ts-check
// The options of `npm run bench`, read, and names looked up, before anything is compiled, installed or measured.
import { parse, UsageError } from "../scripts/usage.mjs";

/** @typedef {object} Options
 *  @property {number} rounds
 *  @property {string[]} only workloads whose name contains one of these; all of them where there are none
 *  @property {boolean} quick one short round
 *  @property {boolean} publish the results also become bench/results/latest.json
 *  @property {boolean} evenIfDisturbed published though the machine was slow or busy; the table says so
 *  @property {string} [from] raw results of an earlier run, to be published instead of a new one's
 *  @property {boolean} node24 on Node 24, as what is published, instead of the Node that runs */

/** What both benchmarks say of publishing. */
export const PUBLISHING = `  --publish              the results also become those that README's table is made of: on Node 24, whole rounds
  --from FILE            with --publish: raw results of an earlier run instead of a new one
  --even-if-disturbed    with --publish: though the machine was slow or busy; the table says so`;
const KNOWN = "--rounds N, --only TEXT, --quick, --node24, --publish, --from FILE or --even-if-disturbed";
const HELP = `Measures simdgrad beside plain JavaScript, each contestant in fresh processes: a quarter of an hour.

  npm run bench                          everything, on the Node that runs
  npm run bench -- --node24              on Node 24: Node 20 has no relaxed SIMD, which leaves that column empty
  npm run bench -- --quick --only step   a first look at the training steps
  node bench/main.mjs table --write      README's table from the results that were published last

Options
  --rounds N             rounds of everything, default 3
  --only TEXT            workloads whose name contains TEXT; may be repeated
  --quick                one short round
  --node24               on Node 24, installed into .cache where an older one runs
${PUBLISHING}
  --help                 this page

Every figure is in build/bench/results-DATE.json as soon as it is known. Close other programs first.`;
/** The median of fewer is a figure that one slow phase of the machine can decide. */
const PUBLISHED_ROUNDS = 3;

/** @param {string[]} args @returns {Options} Errors: UsageError. */
export function readOptions(args) {
  const { node24 = false, ...values } = parse(args, KNOWN, { ...RUN_OPTIONS, node24: { type: "boolean" } }, HELP);
  const { only = [] } = values;
  const run = readRun(values);
  if (run.publish && run.from === undefined) checkWhole({ ...run, parts: only.length > 0 ? ["--only"] : [] });
  return { ...run, only, node24 };
}

/** What both benchmarks take. */
export const RUN_OPTIONS = /** @type {const} */ ({
  rounds: { type: "string" },
  only: { type: "string", multiple: true },
  quick: { type: "boolean" },
  publish: { type: "boolean" },
  "even-if-disturbed": { type: "boolean" },
  from: { type: "string" },
});

/** Of parsed options. Errors: UsageError.
 *  @param {{ rounds?: string, quick?: boolean, publish?: boolean, "even-if-disturbed"?: boolean, from?: string }} values */
export function readRun(values) {
  const { quick = false, publish = false, rounds: text = quick ? "1" : "3", from } = values;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`Expected --rounds to be a whole number from 1, received ${text}.`);
  const evenIfDisturbed = values["even-if-disturbed"] ?? false;
  const stray = evenIfDisturbed ? "--even-if-disturbed" : from === undefined ? "" : "--from";
  if (stray && !publish) throw new UsageError(`Expected ${stray} only beside --publish.`);
  return { rounds, quick, publish, evenIfDisturbed, from };
}

/** Those of `node bench/main.mjs table`. @param {string[]} args Errors: UsageError. */
export function readTableOptions(args) {
  const { write = false } = parse(args, "--write", { write: { type: "boolean" } });
  return { write };
}

/** A part of the results must not replace the whole.
 *  @param {{ rounds: number, quick: boolean, parts: readonly string[] }} run @param {number} [least] rounds
 *  @param {string} [folder] of the raw results. Errors: UsageError. */
export function checkWhole({ rounds, quick, parts }, least = PUBLISHED_ROUNDS, folder = "build/bench") {
  const partial = [
    ...(quick ? ["--quick"] : []),
    ...parts,
    ...(rounds < least ? [`${rounds} round${rounds === 1 ? "" : "s"}`] : []),
  ];
  if (partial.length === 0) return;
  throw new UsageError(
    `Expected --publish with every figure of at least ${least} whole rounds on Node 24 or newer, received ` +
      `${partial.join(" and ")}: measure it all, or leave out --publish (${folder} keeps the raw results).`,
  );
}

/** Those whose name contains one of `texts`; all of them where there are none. Errors: UsageError.
 *  @template {{ readonly name: string }} T
 *  @param {string} option @param {readonly T[]} all @param {readonly string[]} texts @returns {readonly T[]} */
export function choose(option, all, texts) {
  const strange = texts.find((text) => !all.some(({ name }) => name.includes(text)));
  if (strange !== undefined) {
    const names = all.map(({ name }) => name).join("; ");
    throw new UsageError(`Expected ${option} to be part of one of ${names}; received ${strange}.`);
  }
  return all.filter(({ name }) => texts.length === 0 || texts.some((text) => name.includes(text)));
}
