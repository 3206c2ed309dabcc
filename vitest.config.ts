import { defineConfig } from "vitest/config";

// `--mode long` (npm run test:long) runs the full counts: tests read SIMDGRAD_LONG.
export default defineConfig(({ mode }) => {
  const long = mode === "long" || process.env["SIMDGRAD_LONG"] === "1";
  return {
    test: {
      include: ["test/**/*.test.ts"],
      // Processes, not threads: tests measure heaps, collect garbage and reserve whole memories.
      pool: "forks",
      testTimeout: long ? 3_600_000 : 300_000,
      hookTimeout: long ? 3_600_000 : 300_000,
      env: long ? { SIMDGRAD_LONG: "1" } : {},
    },
  };
});
