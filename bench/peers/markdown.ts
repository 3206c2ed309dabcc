// A report as Markdown: rates, then simdgrad against each peer, then all against the machine's limit, then what went
// wrong and what differs.
import { byWorkload, describeCaution, describeMachine, describeSpread, formatRate, mark, speedUp } from "../print.ts";
import { contestants } from "./contestants.ts";
import { bandwidthOf, limitOf } from "./limits.ts";
import type { Limits, PeerReport, PeerResult } from "./report.ts";
import { EPOCHS, workloads } from "./workloads.ts";

const OURS = "simdgrad strict";
/** Significant ones of what two figures make: a third would be noise. */
const QUOTIENT_DIGITS = 2;

export function markdown(report: PeerReport): string {
  const groups = byWorkload(report.results) as PeerResult[][];
  const names = contestants.map(({ name }) => name).filter((name) => groups.some((group) => find(group, name)));
  const theirs = names.filter((name) => name !== OURS);
  const parts = [
    table(groups, names, (group, name) => rate(find(group, name))),
    ...(names.includes(OURS) && theirs.length > 0
      ? [`${OURS} is so many times as fast as`, table(groups, theirs, ratio)]
      : []),
    ...shares(report, groups, names),
    remarks(report),
    `${describeMachine(report)}. ${limits(report)}${describeSpread(report)}${describeCaution(report)}`,
  ];
  return parts.filter(Boolean).join("\n\n");
}

type Cell = (group: readonly PeerResult[], name: string) => string;

function table(groups: readonly (readonly PeerResult[])[], names: readonly string[], cell: Cell): string {
  const titles = groups.map(([{ title, unit }]) => `${title} (${unit})`);
  return [
    `| | ${titles.join(" | ")} |`,
    `|---|${groups.map(() => "--:").join("|")}|`,
    ...names.map((name) => `| ${name} | ${groups.map((group) => cell(group, name)).join(" | ")} |`),
  ].join("\n");
}

/** Nothing where no limit was measured, or nobody stood against it. */
function shares({ limits }: PeerReport, groups: readonly PeerResult[][], names: readonly string[]): string[] {
  const share = (group: readonly PeerResult[], name: string) => shareOfLimit(find(group, name), limits);
  const bound = groups.filter((group) => names.some((name) => share(group, name)));
  if (bound.length === 0) return [];
  return [
    "Percent of what the cores allow at most, with 128-bit vectors. For one row that is reading the weights, for all " +
      "else multiply and add in registers, fused for those that fuse; two cores for two threads. Stars mark native " +
      "code, which the limit does not bind: its vectors are wider.",
    table(bound, names, share),
  ];
}

function shareOfLimit(result: PeerResult | undefined, limits: Limits): string {
  const workload = workloads.find(({ name }) => name === result?.workload);
  const contestant = contestants.find(({ name }) => name === result?.contestant);
  const limit = workload && contestant && limitOf(workload, contestant, limits);
  if (!limit || !result?.median) return "";
  return `${mark(`${formatRate((100 * result.median) / limit, QUOTIENT_DIGITS)} %`, result)}${contestant.native ? " *" : ""}`;
}

const find = (group: readonly PeerResult[], name: string) => group.find(({ contestant }) => contestant === name);

function rate(result: PeerResult | undefined): string {
  if (!result) return "";
  return result.median === null ? "none" : mark(formatRate(result.median), result);
}

const ratio: Cell = (group, name) => {
  const [ours, other] = [find(group, OURS), find(group, name)];
  const times = ours && other ? speedUp(ours, other) : null;
  return ours && other && times !== null ? mark(`${formatRate(times, QUOTIENT_DIGITS)}x`, ours, other) : "";
};

function remarks({ results }: PeerReport): string {
  const notes = contestants.flatMap(({ name, note }) =>
    note && results.some(({ contestant }) => contestant === name) ? [`- ${name}: ${note}.`] : [],
  );
  const failures = results.flatMap(({ contestant, workload, failure }) =>
    failure ? [`- ${contestant}, ${workload}: ${failure}.`] : [],
  );
  return [...notes, ...failures, ...digits(results)].join("\n");
}

/** A warm process favours those that compile: so both times. */
function digits(results: readonly PeerResult[]): string[] {
  const times = results.flatMap(({ contestant, median, firstSeconds = [] }) => {
    if (median === null || firstSeconds.length === 0) return [];
    const first = firstSeconds.toSorted((a, b) => a - b)[Math.floor(firstSeconds.length / 2)];
    return [`${contestant} ${formatRate(TRAINED_ROWS / median)} s (${formatRate(first)} s)`];
  });
  if (times.length === 0) return [];
  return [`- Digits as wall time of a training, in brackets the first one in a process: ${times.join(", ")}.`];
}

/** Four fifths of the 1,797 digits, every epoch. */
const TRAINED_ROWS = EPOCHS * 1437;

function limits({ limits }: PeerReport): string {
  const { strict, relaxed } = limits;
  const streaming = workloads.find(({ streams }) => streams);
  const bandwidth = streaming && bandwidthOf(streaming, limits);
  const parts = [
    strict && `${strict.toFixed(1)} GFLOPS of multiply and add`,
    relaxed && `${relaxed.toFixed(1)} GFLOPS of fused multiply-add`,
    bandwidth && `reads weights at ${bandwidth.toFixed(1)} GB/s`,
  ].filter(Boolean);
  return parts.length > 0 ? `With 128-bit vectors, one core does ${parts.join(", ")}.` : "";
}
