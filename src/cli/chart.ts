// The loss by epoch, drawn with characters.
import plot, { type Point } from "simple-ascii-chart";
import type { EpochRecord } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HEIGHT = 12;

/** Nothing for less than two epochs. */
export function drawChart(history: readonly EpochRecord[], terminal: Terminal): string {
  if (history.length < 2) return "";
  const width = Math.max(20, Math.min(80, terminal.columns - 12));
  const curves = [
    {
      name: "loss",
      style: "cyan" as const,
      points: thinned(
        history.map(({ epoch, loss }) => [epoch, loss]),
        width,
      ),
    },
    {
      name: "validation loss",
      style: "yellow" as const,
      points: thinned(
        history.flatMap(({ epoch, validationLoss }) => (validationLoss === undefined ? [] : [[epoch, validationLoss]])),
        width,
      ),
    },
  ].filter(({ points }) => points.length > 1);
  const colors = curves.map(({ style }) => (style === "cyan" ? "ansiCyan" : "ansiYellow") as "ansiCyan" | "ansiYellow");
  const colored = terminal.paint("cyan", "x") !== "x";
  const chart = plot(
    curves.map(({ points }) => points),
    { width, height: HEIGHT, ...(colored ? { color: colors } : {}) },
  );
  const legend = curves.map(({ name, style }) => terminal.paint(style, name)).join("   ");
  return [
    ...chart
      .split("\n")
      .map((line) => line.trimEnd())
      .filter(Boolean),
    `${legend} by epoch`,
  ].join("\n");
}

/** At most one point a column. */
function thinned(points: readonly (readonly number[])[], width: number): Point[] {
  const step = Math.max(1, Math.ceil(points.length / width));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1).map(([x, y]) => [x, y]);
}
