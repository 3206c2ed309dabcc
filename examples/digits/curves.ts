// Loss curves drawn together, each with a mark of its own. The loss axis is logarithmic: most of a training happens in
// small numbers.
import plot, { type Point, type Settings } from "simple-ascii-chart";
import type { Style, Terminal } from "./terminal.ts";

export interface Curve {
  readonly name: string;
  /** One character. */
  readonly mark: string;
  /** By epoch. */
  readonly losses: readonly number[];
}

const STYLES: Style[] = ["red", "yellow", "green", "cyan"];
const HEIGHT = 20;

/** `goal` is drawn across. */
export function drawCurves(curves: readonly Curve[], goal: number, terminal: Terminal): string {
  const epochs = Math.max(...curves.map(({ losses }) => losses.length));
  const width = Math.max(20, Math.min(100, terminal.columns - 12));
  const marks = curves.map(({ mark }, i) => terminal.paint(STYLES[i % STYLES.length], mark));
  const points = curves.map(({ losses }, i) => dots(losses.map(Math.log10), width, i, curves.length));
  const settings: Settings = {
    width,
    height: HEIGHT,
    xLabel: "epoch",
    customXAxisTicks: xTicks(epochs),
    customYAxisTicks: yTicks(points.flat().map(([, y]) => y)),
    formatter: (value, { axis }) => (axis === "y" ? Number((10 ** value).toPrecision(1)) : value),
    thresholds: [{ y: Math.log10(goal) }],
    symbols: { thresholds: { x: "-" } },
    lineFormatter: marker(marks),
  };
  const legend = curves.map(({ name }, i) => `${marks[i]} ${name}`).join("   ");
  const chart = plot(points, settings).split("\n");
  return [...chart.map((line) => line.trimEnd()).filter(Boolean), legend].join("\n");
}

/** A dot in every `every`th column from `first`, interpolated between the epochs, and one at each end. Curves that
 *  begin in different columns stay visible where they run into each other. */
function dots(values: readonly number[], width: number, first: number, every: number): Point[] {
  const last = values.length - 1;
  const inner = Array.from({ length: Math.floor(width / every) }, (_, i) => ((first + i * every) / width) * last);
  return [...new Set([0, ...inner, last])].map((x) => {
    const i = Math.min(Math.floor(x), Math.max(0, last - 1));
    const next = values[Math.min(i + 1, last)];
    return [x + 1, values[i] + (x - i) * (next - values[i])];
  });
}

/** The chart asks for the points curve by curve but does not say of which curve; each begins with index 0. */
function marker(marks: readonly string[]): Settings["lineFormatter"] {
  let curve = -1;
  return ({ index, plotX, plotY }) => {
    if (index === 0) curve++;
    return { x: plotX, y: plotY, symbol: marks[curve] };
  };
}

function xTicks(epochs: number): number[] {
  const step = Math.max(1, Math.ceil(epochs / 6 / 5) * 5);
  const ticks = [1];
  for (let epoch = epochs < step ? 2 : step; epoch <= epochs; epoch += step) ticks.push(epoch);
  return ticks;
}

/** Powers of ten within the curves. */
function yTicks(logarithms: readonly number[]): number[] {
  const low = Math.ceil(Math.min(...logarithms));
  const high = Math.floor(Math.max(...logarithms));
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);
}
