// @ts-check
// The bundles of the peers' runs; the contestants' imports resolve among the peers.
import { join } from "node:path";
import { bundle } from "../bundle.mjs";

/** contestant.ts finds the peers' workload where its own list would be. @type {import("esbuild").Plugin} */
const currentWorkload = {
  name: "current-workload",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/workloads\.ts$/ }, ({ importer, resolveDir }) =>
      importer.endsWith("contestant.ts") ? { path: join(resolveDir, "peers/current.ts") } : undefined,
    );
  },
};

/** What is run; and the lists that `choosePairs` takes. @param {string} folder */
export async function bundlePeers(folder) {
  const entries = {
    contestant: "bench/contestant.ts",
    run: "bench/peers/run.ts",
    table: "bench/peers/table.ts",
    chart: "bench/peers/chart.ts",
    lists: "bench/peers/lists.ts",
  };
  await bundle(entries, folder, { target: "node22", plugins: [currentWorkload] });
}
