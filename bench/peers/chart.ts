// bench/results/peers.svg from the last published results: what each contestant makes of the processor, in GFLOPS of
// the products alone, beside what one core does in registers.
import { readFileSync, writeFileSync } from "node:fs";
import type { PeerReport } from "./report.ts";
import { operations, workloads } from "./workloads.ts";

// @ts-expect-error: beside the peers, not a dependency
const vega = await import("vega");
// @ts-expect-error: beside the peers, not a dependency
const { compile } = await import("vega-lite");

const OURS = "#d95f02";
const OTHERS = "#5f6b7a";

const report: PeerReport = JSON.parse(readFileSync("bench/results/peers.json", "utf8"));
const view = new vega.View(vega.parse(compile(specification()).spec), { renderer: "none" });
writeFileSync("bench/results/peers.svg", `${await view.toSVG()}\n`);

function points() {
  return workloads
    .filter(({ kind }) => kind !== "digits")
    .flatMap((workload) => {
      const perUnit = operations(workload) / (workload.kind === "predict" ? workload.task.batch : 1);
      return report.results.flatMap(({ workload: name, title, contestant, median }) =>
        name === workload.name && median !== null
          ? [{ title, contestant, gflops: (median * perUnit) / 1e9, ours: contestant.startsWith("simdgrad") }]
          : [],
      );
    });
}

function specification() {
  const values = points();
  const { strict, relaxed } = report.limits;
  const limits = [
    { name: "one core, 128-bit vectors: multiply and add in registers", gflops: strict, color: "#762a83" },
    { name: "the same, fused (relaxed)", gflops: relaxed, color: "#1b7837" },
  ].filter(({ gflops }) => gflops !== null);
  const color = {
    type: "nominal",
    scale: { domain: limits.map(({ name }) => name), range: limits.map((limit) => limit.color) },
    legend: { title: null, orient: "bottom", labelLimit: 400, symbolType: "stroke" },
  };
  const x = {
    type: "quantitative",
    scale: { type: "log" },
    title: "GFLOPS (logarithmic)",
    axis: { values: [0.001, 0.01, 0.1, 1, 10, 100, 1000] },
  };
  const subtitle = `${report.cpu}, Node ${report.versions.node}, ${report.date.slice(0, 10)}`;
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
        ...limits.map(({ name, gflops }) => ({
          mark: { type: "rule", strokeDash: [4, 3] },
          encoding: { x: { ...x, datum: gflops }, color: { ...color, datum: name } },
        })),
        {
          mark: { type: "point", filled: true, size: 60, opacity: 1 },
          encoding: {
            x: { ...x, field: "gflops" },
            y: { field: "contestant", type: "nominal", sort: null, title: null },
            fill: { condition: { test: "datum.ours", value: OURS }, value: OTHERS },
          },
        },
      ],
    },
    resolve: { scale: { y: "independent" } },
  };
}
