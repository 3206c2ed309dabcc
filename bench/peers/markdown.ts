// A report as Markdown: rates, then simdgrad against each peer, then what went wrong and what differs.
import { byWorkload, describeMachine, describeSpread, formatRate, speedUp } from "../print.ts";
import { contestants } from "./contestants.ts";
import type { PeerReport, PeerResult } from "./report.ts";
import { EPOCHS } from "./workloads.ts";

const OURS = "simdgrad strict";

export function markdown(report: PeerReport): string {
  const groups = byWorkload(report.results) as PeerResult[][];
  const names = contestants.map(({ name }) => name).filter((name) => groups.some((group) => find(group, name)));
  const theirs = names.filter((name) => name !== OURS);
  const parts = [
    table(groups, names, (group, name) => rate(find(group, name))),
    ...(names.includes(OURS) && theirs.length > 0
      ? [`${OURS} is so many times as fast as`, table(groups, theirs, ratio)]
      : []),
    remarks(report),
    `${describeMachine(report)}. ${limits(report)}${describeSpread(report)}${caution(report)}`,
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

const find = (group: readonly PeerResult[], name: string) => group.find(({ contestant }) => contestant === name);

function rate(result: PeerResult | undefined): string {
  if (!result) return "";
  return result.median === null ? "none" : formatRate(result.median);
}

const ratio: Cell = (group, name) => {
  const [ours, other] = [find(group, OURS), find(group, name)];
  const times = ours && other ? speedUp(ours, other) : null;
  return times === null ? "" : `${formatRate(times)}x`;
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

function limits({ limits: { strict, relaxed } }: PeerReport): string {
  const parts = [
    strict && `${strict.toFixed(1)} GFLOPS of multiply and add`,
    relaxed && `${relaxed.toFixed(1)} GFLOPS of fused multiply-add`,
  ].filter(Boolean);
  return parts.length > 0 ? `In registers, one core does ${parts.join(", ")} (128-bit).` : "";
}

function caution({ results }: PeerReport): string {
  const disturbed = results.filter(({ disturbed }) => disturbed > 0).length;
  return disturbed ? ` The core was slow or busy during ${disturbed} of ${results.length} figures.` : "";
}
