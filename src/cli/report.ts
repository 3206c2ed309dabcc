// `--report`: a training as a page that needs nothing but itself.
import { uplotScript, uplotStyle } from "../generated/assets.ts";
import type { MetricName } from "../index.ts";
import { unpack } from "./assets.ts";
import { writeText } from "./files.ts";
import {
  type ClassScores,
  type Scores,
  saidOfClasses,
  shownClasses,
  shownConfusions,
  shownMeasures,
} from "./metrics.ts";
import type { Outcome } from "./outcome.ts";
import type { EpochRecord, Settings, TrainingRecord } from "./settings.ts";
import { plural } from "./terminal.ts";

export function writeReport(path: string, outcome: Outcome, training: TrainingRecord): Promise<void> {
  return writeText(path, reportPage(outcome, training));
}

interface Chart {
  readonly title: string;
  readonly names: readonly string[];
  /** Epochs, then a row a curve. */
  readonly data: readonly (readonly (number | null)[])[];
}

export function reportPage(outcome: Outcome, { settings, history, bestEpoch }: TrainingRecord): string {
  const { task, target, rows, validation, crossValidation } = outcome;
  const charts = [
    chartOf("Loss", history, { training: "loss", validation: "validationLoss" }),
    chartOf("Accuracy", history, { training: "accuracy", validation: "validationAccuracy" }),
    ...(settings.metrics ?? []).filter((name) => name !== "accuracy").map((name) => metricChart(name, history)),
    settings.schedule || settings.warmup
      ? chartOf("Learning rate", history, { "next step": "learningRate" })
      : undefined,
  ].filter((chart) => chart !== undefined);
  const title = `Training of ${target}`;
  const stopped = outcome.stopped === "early" ? `, stopped early: epoch ${bestEpoch} was the best` : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${unpack(uplotStyle)}${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(`${task}, ${plural(rows, "row")}, ${plural(history.length, "epoch")}${stopped}`)}</p>
<div id="charts"></div>
${validation ? `<h2>On the rows kept for validation</h2>\n${scoresHtml(validation)}` : ""}
${crossValidation ? `<h2>Cross-validation, ${crossValidation.folds.length} folds</h2>\n${scoresHtml(crossValidation.together)}\n${foldsHtml(crossValidation.folds)}` : ""}
<h2>Settings</h2>
${settingsHtml(settings)}
<script>${unpack(uplotScript).replaceAll("</script", "<\\/script")}</script>
<script>
const charts = ${JSON.stringify(charts).replaceAll("<", "\\u003c")};
const bestEpoch = ${JSON.stringify(outcome.stopped === "early" ? (bestEpoch ?? null) : null)};
${SCRIPT}
</script>
</body>
</html>
`;
}

function chartOf(
  title: string,
  history: readonly EpochRecord[],
  keys: Record<string, keyof EpochRecord>,
): Chart | undefined {
  const curves = Object.entries(keys).filter(([, key]) => history.some((record) => record[key] !== undefined));
  if (curves.length === 0) return undefined;
  const data = curves.map(([, key]) => history.map((record) => (record[key] as number | undefined) ?? null));
  return { title, names: curves.map(([name]) => name), data: [history.map(({ epoch }) => epoch), ...data] };
}

function metricChart(name: MetricName, history: readonly EpochRecord[]): Chart | undefined {
  const validation = `validation${name[0].toUpperCase()}${name.slice(1)}` as keyof EpochRecord;
  return chartOf(name, history, { training: name, validation });
}

function scoresHtml(scores: Scores): string {
  const metrics = scores.metrics ? `\n${tableHtml(shownMeasures(scores.metrics))}` : "";
  return mainScoresHtml(scores) + metrics;
}

function mainScoresHtml(scores: Scores): string {
  if (!("classes" in scores)) {
    const { meanAbsoluteError, rootMeanSquaredError, r2 } = scores;
    return tableHtml([
      ["mean absolute error", meanAbsoluteError.toPrecision(5)],
      ["root mean squared error", rootMeanSquaredError.toPrecision(5)],
      ["R2", r2.toFixed(4)],
    ]);
  }
  return `<p>accuracy ${scores.accuracy.toFixed(4)}</p>\n${classesHtml(scores)}\n${confusionHtml(scores)}`;
}

function classesHtml(scores: ClassScores): string {
  const said = saidOfClasses(scores);
  const rows = shownClasses(scores).map(({ name, precision, recall, f1, rows }) => [
    name,
    ...[precision, recall, f1].map((share) => share.toFixed(4)),
    String(rows),
  ]);
  return sentence(said) + tableHtml(rows, ["class", "precision", "recall", "F1", "rows"]);
}

function sentence(text: string): string {
  return text && `<p>${escaped(text[0].toUpperCase() + text.slice(1))}.</p>\n`;
}

function confusionHtml({ classes, confusion, confusions = [] }: ClassScores): string {
  if (!confusion) {
    const { said, rows } = shownConfusions(confusions);
    return rows.length > 0 ? sentence(said) + tableHtml(rows, ["actual", "predicted", "count"]) : "";
  }
  const names = classes.map(({ name }) => name);
  const rows = confusion.map((row, i) => [names[i], ...row.map(String)]);
  return sentence("rows are what is true, columns what was predicted") + tableHtml(rows, ["", ...names]);
}

function foldsHtml(folds: readonly Scores[]): string {
  const figure = (scores: Scores) =>
    "accuracy" in scores ? scores.accuracy.toFixed(4) : scores.rootMeanSquaredError.toPrecision(5);
  const name = folds.some((scores) => "accuracy" in scores) ? "accuracy" : "root mean squared error";
  return tableHtml(
    folds.map((scores, i) => [String(i + 1), figure(scores)]),
    ["fold", name],
  );
}

function settingsHtml(settings: Settings): string {
  const shown = Object.entries(settings).filter(([, value]) => value !== undefined);
  const text = (value: unknown) =>
    Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);
  return tableHtml(shown.map(([name, value]) => [name, text(value)]));
}

function tableHtml(rows: readonly (readonly string[])[], head?: readonly string[]): string {
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell, j) => (j === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<${tag}>${escaped(cell)}</${tag}>`)).join("")}</tr>`;
  const body = rows.map((cells) => row(cells, "td")).join("\n");
  return `<div class="wide"><table>\n${head ? `<thead>${row(head, "th")}</thead>\n` : ""}<tbody>\n${body}\n</tbody>\n</table></div>`;
}

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --muted: #59636e; --line: #d1d9e0; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --muted: #9198a1; --line: #3d444d; --page: #0d1117; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--muted); margin: .25rem 0 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin-bottom: 1rem; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: right; font-variant-numeric: tabular-nums; }
th[scope=row], td:only-of-type { text-align: left; } th { font-weight: 600; }
.chart { margin-bottom: 1.5rem; } .u-title, .u-legend { color: var(--text); } .u-legend th, .u-legend td { border: 0; }
`;

/** Runs in the page. A loss axis over several powers of ten is logarithmic. */
const SCRIPT = `
const css = getComputedStyle(document.documentElement);
const [text, line] = ["--text", "--line"].map((name) => css.getPropertyValue(name).trim());
const colors = ["#0969da", "#d4691a"];
const page = document.getElementById("charts");
const width = () => Math.max(280, page.clientWidth);
const plots = charts.map(({ title, names, data }) => {
  const values = data.slice(1).flat().filter((value) => value !== null);
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const wide = title === "Loss" && low > 0 && high / low > 20;
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const element = document.createElement("div");
  element.className = "chart";
  page.append(element);
  const points = { show: data[0].length < 40, size: 5 };
  return new uPlot({
    title,
    width: width(),
    height: 300,
    scales: { x: { time: false }, y: wide ? { distr: 3 } : {} },
    axes: [{ ...axis, label: "epoch", labelSize: 22, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }, { ...axis, size: 64 }],
    series: [{ label: "epoch" }, ...names.map((label, i) => ({
      label, stroke: colors[i], width: 2, points,
      value: (_, value) => value === null ? "-" : value.toPrecision(4),
    }))],
    hooks: { draw: [(plot) => {
      if (bestEpoch === null) return;
      const x = plot.valToPos(bestEpoch, "x", true);
      const { top, height } = plot.bbox;
      plot.ctx.save();
      plot.ctx.strokeStyle = text;
      plot.ctx.setLineDash([4, 4]);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, top);
      plot.ctx.lineTo(x, top + height);
      plot.ctx.stroke();
      plot.ctx.restore();
    }] },
  }, data, element);
});
addEventListener("resize", () => plots.forEach((plot) => plot.setSize({ width: width(), height: 300 })));
`;
