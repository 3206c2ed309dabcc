// The loss by epoch, drawn with characters, on a logarithmic scale: most of a training happens in small numbers.
import plot, { type Point } from "simple-ascii-chart";
import type { EpochRecord } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

const HEIGHT = 12;
const CURVES = [
  { name: "loss", key: "loss", style: "cyan", color: "ansiCyan" },
  { name: "validation loss", key: "validationLoss", style: "yellow", color: "ansiYellow" },
] as const;

/** Nothing for less than two epochs. */
export function drawChart(history: readonly EpochRecord[], terminal: Terminal): string {
  const width = Math.max(20, Math.min(80, terminal.columns - 12));
  const curves = CURVES.map((curve) => ({ ...curve, points: pointsOf(history, curve.key, width) })).filter(
    ({ points }) => points.length > 1,
  );
  if (curves.length === 0) return "";
  const chart = plot(
    curves.map(({ points }) => points),
    {
      width,
      height: HEIGHT,
      customXAxisTicks: ticks(history[0].epoch, history.length),
      color: curves.map(({ color }) => color),
      formatter: (value, { axis }) => (axis === "y" ? Number((10 ** value).toPrecision(2)) : value),
    },
  );
  const legend = curves.map(({ name, style }) => terminal.paint(style, name)).join("   ");
  const lines = chart.split("\n").map((line) => line.trimEnd());
  return [...lines.filter(Boolean), `${legend} by epoch`].join("\n");
}

/** The first epoch, and round ones. */
function ticks(first: number, epochs: number): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => epochs <= 8 * size) ?? epochs;
  const round = Array.from({ length: epochs }, (_, i) => first + i).filter((epoch) => epoch % step === 0);
  return [...(round[0] - first >= step / 2 ? [first] : []), ...round];
}

/** At most one point a column. A loss of 0 has no logarithm. */
function pointsOf(history: readonly EpochRecord[], key: "loss" | "validationLoss", width: number): Point[] {
  const points = history.flatMap((record): Point[] => {
    const value = record[key];
    return value !== undefined && value > 0 ? [[record.epoch, Math.log10(value)]] : [];
  });
  const step = Math.max(1, Math.ceil(points.length / width));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}
