// @ts-check
// The options of `npm run bench:peers`, read before anything is installed or measured.
import { checkWhole, parse, UsageError } from "../options.mjs";
import { CACHE } from "./install.mjs";

/** @typedef {object} PeerOptions
 *  @property {number} rounds
 *  @property {string[]} only contestants whose name contains one of these; all of them where there are none
 *  @property {string[]} work workloads, the same
 *  @property {boolean} quick one short round
 *  @property {boolean} publish the summary also becomes bench/results/peers.json
 *  @property {boolean} evenIfDisturbed published though the machine was slow or busy; the table says so
 *  @property {string} [from] raw results of an earlier run, to be published instead of a new one's */

const KNOWN =
  "table, chart, --rounds N, --only TEXT, --work TEXT, --quick, --publish, --even-if-disturbed or --from FILE";
/** A single figure tells nothing of how far the next one lies from it. */
const PUBLISHED_ROUNDS = 2;

/** @param {string[]} args @returns {PeerOptions} Errors: UsageError. */
export function readPeerOptions(args) {
  const values = parse(args, KNOWN, {
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    work: { type: "string", multiple: true },
    quick: { type: "boolean" },
    publish: { type: "boolean" },
    "even-if-disturbed": { type: "boolean" },
    from: { type: "string" },
  });
  const { quick = false, publish = false, only = [], work = [], rounds: text = quick ? "1" : "3", from } = values;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`Expected --rounds to be a whole number from 1, received ${text}.`);
  const evenIfDisturbed = values["even-if-disturbed"] ?? false;
  const stray = evenIfDisturbed ? "--even-if-disturbed" : from === undefined ? "" : "--from";
  if (stray && !publish) throw new UsageError(`Expected ${stray} only beside --publish.`);
  const parts = [...(only.length > 0 ? ["--only"] : []), ...(work.length > 0 ? ["--work"] : [])];
  if (publish && from === undefined) checkWholePeers({ rounds, quick, parts });
  return { rounds, only, work, quick, publish, evenIfDisturbed, from };
}

/** @param {{ rounds: number, quick: boolean, parts: readonly string[] }} run Errors: UsageError, for a part. */
export function checkWholePeers(run) {
  checkWhole(run, PUBLISHED_ROUNDS, CACHE);
}
