// bench/results/peers.svg from the last published results: what each contestant makes of the processor, in GFLOPS of
// the products alone, how far its rounds lie apart, and what the cores allow at most.
import { readFileSync, writeFileSync } from "node:fs";
import { contestants } from "./contestants.ts";
import { limitOf, operationsPerUnit } from "./limits.ts";
import type { PeerReport } from "./report.ts";
import { type PeerWorkload, workloads } from "./workloads.ts";

// @ts-expect-error: beside the peers, not a dependency
const vega = await import("vega");
// @ts-expect-error: beside the peers, not a dependency
const { compile } = await import("vega-lite");

const OURS = "#d95f02";
const OTHERS = "#5f6b7a";
const NATIVE = "white";
/** The lines: for everyone who has so many threads, and fuses or not. */
const LINES = [
  { name: "one core: multiply and add, or reading the weights (batch 1)", color: "#762a83", dash: [4, 3] },
  { name: "two cores", threads: 2, color: "#762a83", dash: [1, 3] },
  { name: "one core: fused multiply-add", fused: true, color: "#1b7837", dash: [4, 3] },
  { name: "two cores, fused", threads: 2, fused: true, color: "#1b7837", dash: [1, 3] },
];

const report: PeerReport = JSON.parse(readFileSync("bench/results/peers.json", "utf8"));
// It warns that bars and points of one facet share their names: they should.
const { spec } = compile(specification(), { logger: vega.logger(vega.Error) });
const view = new vega.View(vega.parse(spec), { renderer: "none" });
writeFileSync("bench/results/peers.svg", `${await view.toSVG()}\n`);

interface Row {
  title: string;
  gflops: number;
  contestant: string;
  kind?: "ours" | "native" | "other";
  /** The slowest and the fastest round, disturbed or not. */
  slowest?: number;
  fastest?: number;
  line?: string;
}

/** Of a workload: a point for each contestant, and the limits (with a name, for the chart gives each name a line). */
function rows(workload: PeerWorkload): Row[] {
  const { name, title } = workload;
  const gflops = (rate: number) => (rate * operationsPerUnit(workload)) / 1e9;
  const points = contestants.flatMap(({ name: contestant, native }): Row[] => {
    const result = report.results.find((each) => each.workload === name && each.contestant === contestant);
    const kind = contestant.startsWith("simdgrad") ? "ours" : native ? "native" : "other";
    if (!result?.median) return [];
    const [slowest, fastest] = [Math.min(...result.values), Math.max(...result.values)].map(gflops);
    return [{ title, contestant, gflops: gflops(result.median), slowest, fastest, kind }];
  });
  const lines = LINES.flatMap(({ name: line, ...allowed }): Row[] => {
    const limit = workload.streams && allowed.fused ? null : limitOf(workload, allowed, report.limits);
    return limit ? [{ title, contestant: contestants[0].name, line, gflops: gflops(limit) }] : [];
  });
  return points.length > 0 ? [...points, ...lines] : [];
}

function specification() {
  const values = workloads.filter(({ kind }) => kind !== "digits").flatMap(rows);
  const lines = LINES.filter(({ name }) => values.some(({ line }) => line === name));
  const scale = (range: readonly unknown[]) => ({ domain: lines.map(({ name }) => name), range });
  const legend = {
    title: "At most, with 128-bit vectors",
    orient: "bottom",
    direction: "vertical",
    labelLimit: 0,
    titleLimit: 0,
  };
  const x = {
    field: "gflops",
    type: "quantitative",
    scale: { type: "log" },
    title: "GFLOPS (logarithmic)",
    axis: { values: [0.001, 0.01, 0.1, 1, 10, 100, 1000] },
  };
  const subtitle = [
    `${report.cpu}, Node ${report.versions.node}, ${report.date.slice(0, 10)}`,
    "A bar goes from the slowest to the fastest round, the disturbed ones too; the point is the median of those that count",
    "Hollow: native code, whose vectors are wider than 128 bits, so that the limits do not bind it",
  ];
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: "What each makes of the processor", subtitle },
    background: "white",
    columns: 2,
    data: { values },
    facet: { field: "title", type: "nominal", sort: values.map(({ title }) => title), title: null },
    spec: {
      width: 320,
      layer: [
        {
          transform: [{ filter: "isValid(datum.line)" }],
          mark: { type: "rule" },
          encoding: {
            x,
            color: { field: "line", type: "nominal", scale: scale(lines.map(({ color }) => color)), legend },
            strokeDash: { field: "line", type: "nominal", scale: scale(lines.map(({ dash }) => dash)), legend },
          },
        },
        {
          transform: [{ filter: "isValid(datum.kind)" }],
          encoding: { y: { field: "contestant", type: "nominal", sort: null, title: null, axis: { labelLimit: 0 } } },
          layer: [
            {
              mark: { type: "rule", strokeWidth: 1.5 },
              encoding: {
                x: { ...x, field: "slowest" },
                x2: { field: "fastest" },
                stroke: colors({ ours: OURS }),
              },
            },
            {
              mark: { type: "point", filled: true, size: 60, opacity: 1, strokeWidth: 1.5 },
              encoding: { x, fill: colors({ ours: OURS, native: NATIVE }), stroke: colors({ ours: OURS }) },
            },
          ],
        },
      ],
    },
    resolve: { scale: { y: "independent" } },
  };
}

function colors(byKind: Record<string, string>) {
  const condition = Object.entries(byKind).map(([kind, value]) => ({ test: `datum.kind === "${kind}"`, value }));
  return { condition, value: OTHERS };
}
