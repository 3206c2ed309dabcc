// @ts-check
// The options of `npm run bench:peers`, read, and names looked up, before anything is installed or measured.
import { parse, UsageError } from "../../scripts/usage.mjs";
import { checkWhole, choose, PUBLISHING, RUN_OPTIONS, readRun } from "../options.mjs";
import { CACHE } from "./install.mjs";

/** @typedef {object} PeerOptions
 *  @property {number} rounds
 *  @property {string[]} only contestants whose name contains one of these; all of them where there are none
 *  @property {string[]} work workloads, the same
 *  @property {boolean} quick one short round
 *  @property {boolean} publish the summary also becomes bench/results/peers.json
 *  @property {boolean} evenIfDisturbed published though the machine was slow or busy; the table says so
 *  @property {string} [from] raw results of an earlier run, to be published instead of a new one's */

/** Who is there, and for what. @typedef {object} Lists
 *  @property {readonly import("./contestants.ts").Contestant[]} contestants
 *  @property {readonly import("./workloads.ts").PeerWorkload[]} workloads
 *  @property {typeof import("./workloads.ts").competes} competes */

const KNOWN =
  "table, chart, --rounds N, --only TEXT, --work TEXT, --quick, --publish, --even-if-disturbed or --from FILE";
const HELP = `Measures simdgrad beside other libraries, which it installs into ${CACHE}, and PyTorch where /usr/bin/python3 has it.

  npm run bench:peers                                  everything, on Node 24
  npm run bench:peers -- --only simdgrad --work step   some contestants, some workloads
  node bench/peers/main.mjs table --write              README's table from the results that were published last
  node bench/peers/main.mjs chart                      and the chart

Options
  --rounds N             rounds of everything, default 3
  --only TEXT            contestants whose name contains TEXT; may be repeated
  --work TEXT            workloads, the same
  --quick                one short round
${PUBLISHING}
  --help                 this page

Raw results stay in ${CACHE}/results-DATE.json. Close other programs first.`;
/** A single figure tells nothing of how far the next one lies from it. */
const PUBLISHED_ROUNDS = 2;

/** @param {string[]} args @returns {PeerOptions} Errors: UsageError. */
export function readPeerOptions(args) {
  const values = parse(args, KNOWN, { ...RUN_OPTIONS, work: { type: "string", multiple: true } }, HELP);
  const { only = [], work = [] } = values;
  const run = readRun(values);
  const parts = [...(only.length > 0 ? ["--only"] : []), ...(work.length > 0 ? ["--work"] : [])];
  if (run.publish && run.from === undefined) checkWholePeers({ ...run, parts });
  return { ...run, only, work };
}

/** @param {{ rounds: number, quick: boolean, parts: readonly string[] }} run Errors: UsageError, for a part. */
export function checkWholePeers(run) {
  checkWhole(run, PUBLISHED_ROUNDS, CACHE);
}

/** Each workload with each contestant that the options name. Errors: UsageError.
 *  @param {Pick<PeerOptions, "only" | "work">} options @param {Lists} lists */
export function choosePairs({ only, work }, { contestants, workloads, competes }) {
  const chosen = choose("--only", contestants, only);
  const pairs = choose("--work", workloads, work).flatMap((workload) =>
    chosen.filter((contestant) => competes(workload, contestant)).map((contestant) => ({ workload, contestant })),
  );
  if (pairs.length > 0) return pairs;
  const received = `--only ${only.join(" --only ")} --work ${work.join(" --work ")}`;
  throw new UsageError(`Expected a contestant that does one of the workloads, received ${received}.`);
}
