// Metrics by name: which fit which targets, what they sum up row by row, and what the sums come to. Weighted by sample
// weight, but for accuracy, which a kernel counts; class weights are the loss's alone.
import { SimdgradError, show } from "./errors.ts";
import { exp } from "./numerics.ts";
import { checkCount, checkKeys } from "./options.ts";

/** `accuracy`: the share of right answers, each row counting once whatever it weighs, as Keras's `metrics` count; with
 *  weights it is `top-1`, as scikit-learn's with sample_weight. `top-3`: the right class is among the three largest outputs. `precision`, `recall`, `f1`: of a sigmoid above one half,
 *  the mean over outputs; of classes, the mean over those that occur. `auc`: the area under the ROC curve, exact, ties
 *  counted half; of more than two classes each against the rest. `mae`, `r2`: the mean over outputs. */
export type MetricName = "accuracy" | `top-${number}` | "precision" | "recall" | "f1" | "auc" | "mae" | "r2";

/** A name, or as data. */
export type Metric = MetricName | { readonly kind: "top-k"; readonly k: number };

/** What a report holds for each metric. */
export type Measures = { [K in MetricName]?: number };

type TargetKind = "classes" | "probabilities" | "values";

const KINDS: Readonly<Record<string, readonly TargetKind[]>> = {
  accuracy: ["classes", "probabilities"],
  top: ["classes"],
  precision: ["classes", "probabilities"],
  recall: ["classes", "probabilities"],
  f1: ["classes", "probabilities"],
  auc: ["classes", "probabilities"],
  mae: ["values"],
  r2: ["values"],
};

/** Names alone. Errors: CONFIG. */
export function normalizeMetrics(metrics: readonly Metric[]): readonly MetricName[] {
  const known = `Known: ${Object.keys(KINDS).join(", ").replace("top", "top-k (with a number for k)")}.`;
  if (!Array.isArray(metrics)) {
    throw new SimdgradError("CONFIG", `metrics: expected an array of names, received ${show(metrics)}.`, known);
  }
  const names = Array.from(metrics, (metric) => {
    if (Object(metric)?.kind === "top-k") {
      checkKeys("metrics", metric, ["kind", "k"]);
      return `top-${checkCount("metrics", "k", (metric as { k: number }).k)}` as const;
    }
    const name = typeof metric === "string" ? metric : "";
    if (/^top-[1-9]\d{0,8}$/.test(name) || (name !== "top" && Object.hasOwn(KINDS, name))) return metric;
    throw new SimdgradError("CONFIG", `metrics: expected a metric, received ${show(metric)}.`, known);
  });
  return Object.freeze([...new Set(names)]);
}

/** A batch as metrics see it. Row i of the model is row `rowOf(i)` of targets and weights. */
export interface MeasuredRows {
  readonly rows: number;
  /** What the head works on: logits, or the outputs themselves where the loss has no head. */
  readonly z: Float32Array;
  readonly stride: number;
  /** Class indices, or rows of as many values as there are outputs. */
  readonly labels: boolean;
  readonly targets: ArrayLike<number>;
  readonly weights: ArrayLike<number> | undefined;
  rowOf(i: number): number;
}

/** Every row's score and whether it is one of the class, class by class: what `auc` needs. */
export interface Curves {
  readonly weights: number[];
  readonly scores: number[][];
  readonly hits: boolean[][];
}

/** Sums for the metrics of one model. They start as zeros: the weight; then of each output hits, answers and
 *  occurrences, then of each top-k its hits; or the absolute error, then of each output squared error, mean and
 *  squared distance from it. */
export class Tally {
  readonly names: readonly MetricName[];
  /** Those that a training epoch has: `auc` would have to keep every row. */
  readonly summed: readonly MetricName[];
  readonly size: number;
  private readonly kind: TargetKind;
  private readonly outputs: number;
  private readonly tops: readonly number[];

  /** Errors: CONFIG for metrics of other targets. */
  constructor(names: readonly MetricName[], kind: TargetKind, outputs: number) {
    for (const name of names) {
      if (KINDS[name.replace(/-.*/, "")].includes(kind)) continue;
      const found = { classes: "classes", probabilities: "a sigmoid", values: "plain values" }[kind];
      throw new SimdgradError("CONFIG", `metrics: expected metrics of a loss on ${found}, received ${name}.`);
    }
    this.names = names.filter((name) => name !== "accuracy");
    this.summed = this.names.filter((name) => name !== "auc");
    this.tops = names.filter((name) => name.startsWith("top-")).map((name) => Number(name.slice(4)));
    const most = Math.max(...this.tops);
    if (most > outputs) {
      throw new SimdgradError("CONFIG", `metrics: expected k of at most ${outputs} classes, received top-${most}.`);
    }
    this.kind = kind;
    this.outputs = outputs;
    this.size = (kind === "values" ? 2 : 1) + 3 * outputs + this.tops.length;
  }

  noCurves(): Curves | undefined {
    if (this.names.length === this.summed.length) return undefined;
    const each = <T>() => Array.from({ length: this.outputs }, (): T[] => []);
    return { weights: [], scores: each(), hits: each() };
  }

  add(sums: number[], batch: MeasuredRows, curves: Curves | undefined): void {
    const { outputs, kind } = this;
    for (let i = 0; i < batch.rows; i++) {
      const row = batch.rowOf(i);
      const weight = batch.weights ? batch.weights[row] : 1;
      const z = batch.z.subarray(i * batch.stride, i * batch.stride + outputs);
      sums[0] += weight;
      if (kind === "values") this.addValues(sums, weight, z, batch.targets, row * outputs);
      else if (kind === "classes") this.addClass(sums, weight, z, classOf(batch, row, outputs), curves);
      else this.addBinary(sums, weight, z, batch.targets, row * outputs, curves);
      curves?.weights.push(weight);
    }
  }

  private addClass(sums: number[], weight: number, z: Float32Array, label: number, curves?: Curves): void {
    // As argmax: of equal outputs the first counts as the largest.
    let rank = 0;
    z.forEach((value, j) => {
      if (value > z[label] || (value === z[label] && j < label)) rank++;
    });
    this.count(sums, weight, rank === 0 ? label : largest(z), label);
    this.tops.forEach((k, i) => {
      if (rank < k) sums[1 + 3 * this.outputs + i] += weight;
    });
    if (!curves) return;
    const scores = probabilities(z);
    scores.forEach((score, j) => {
      curves.scores[j].push(score);
      curves.hits[j].push(j === label);
    });
  }

  private addBinary(
    sums: number[],
    weight: number,
    z: Float32Array,
    t: ArrayLike<number>,
    at: number,
    curves?: Curves,
  ) {
    z.forEach((value, j) => {
      const hit = t[at + j] > 0.5;
      this.count(sums, weight, value > 0 ? j : -1, hit ? j : -1);
      curves?.scores[j].push(value);
      curves?.hits[j].push(hit);
    });
  }

  private count(sums: number[], weight: number, answer: number, truth: number): void {
    if (answer >= 0 && answer === truth) sums[1 + 3 * answer] += weight;
    if (answer >= 0) sums[2 + 3 * answer] += weight;
    if (truth >= 0) sums[3 + 3 * truth] += weight;
  }

  private addValues(sums: number[], weight: number, y: Float32Array, t: ArrayLike<number>, at: number): void {
    if (weight === 0) return;
    y.forEach((value, j) => {
      const target = Math.fround(t[at + j]);
      const error = value - target;
      const i = 2 + 3 * j;
      // Welford's mean and squares: no difference of large sums.
      const distance = target - sums[i + 1];
      sums[1] += weight * Math.abs(error);
      sums[i] += weight * error * error;
      sums[i + 1] += (weight / sums[0]) * distance;
      sums[i + 2] += weight * distance * (target - sums[i + 1]);
    });
  }

  values(sums: readonly number[], curves?: Curves): Measures {
    return Object.fromEntries(
      (curves ? this.names : this.summed).map((name) => [name, this.value(name, sums, curves)]),
    );
  }

  private value(name: MetricName, sums: readonly number[], curves: Curves | undefined): number {
    const each = (f: (a: number, b: number, c: number) => number | undefined) => {
      const first = this.kind === "values" ? 2 : 1;
      const all = Array.from({ length: this.outputs }, (_, j) => {
        const [a, b, c] = sums.slice(first + 3 * j, first + 3 * j + 3);
        // A class that neither occurs nor is answered does not count.
        return this.kind === "classes" && b + c === 0 ? undefined : f(a, b, c);
      });
      return mean(all.filter((value) => value !== undefined));
    };
    const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
    switch (name) {
      case "precision":
        return each((hits, answers) => share(hits, answers));
      case "recall":
        return each((hits, _, occurrences) => share(hits, occurrences));
      case "f1":
        return each((hits, answers, occurrences) => share(2 * hits, answers + occurrences));
      case "mae":
        return share(sums[1], sums[0] * this.outputs);
      case "r2":
        // As scikit-learn: of constant targets 1 when all are met, else 0.
        return each((error, _, spread) => (spread > 0 ? 1 - error / spread : Number(error === 0)));
      case "auc":
        return curves ? this.auc(curves) : Number.NaN;
      default:
        return share(sums[1 + 3 * this.outputs + this.tops.indexOf(Number(name.slice(4)))], sums[0]);
    }
  }

  /** NaN where there is but one kind of rows. */
  private auc({ weights, scores, hits }: Curves): number {
    const areas = scores.map((score, j) => area(score, hits[j], weights));
    // Of two classes the curves are one another's mirror.
    if (this.kind === "classes" && areas.length === 2) return areas[1];
    return mean(areas.filter((value) => !Number.isNaN(value)));
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function largest(z: ArrayLike<number>, start = 0, count = z.length): number {
  let best = 0;
  for (let j = 1; j < count; j++) if (z[start + j] > z[start + best]) best = j;
  return best;
}

function classOf({ labels, targets }: MeasuredRows, row: number, outputs: number): number {
  return labels ? targets[row] : largest(targets, row * outputs, outputs);
}

/** Softmax in f64; of two classes the difference of the logits, which has the same order. */
function probabilities(z: Float32Array): number[] {
  if (z.length === 2) return [z[0] - z[1], z[1] - z[0]];
  const top = Math.max(...z);
  const parts = Array.from(z, (value) => exp(Math.max(value - top, -700)));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** Mann and Whitney's statistic: the share of pairs of a hit and a miss in which the hit scores higher. NaN where a score
 *  is: it has no rank. */
function area(scores: readonly number[], hits: readonly boolean[], weights: readonly number[]): number {
  if (scores.some(Number.isNaN)) return Number.NaN;
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
  let won = 0;
  let positive = 0;
  let negative = 0;
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i]];
    let here = 0;
    let missed = 0;
    for (; i < order.length && scores[order[i]] === score; i++) {
      if (hits[order[i]]) here += weights[order[i]];
      else missed += weights[order[i]];
    }
    won += here * (negative + missed / 2);
    positive += here;
    negative += missed;
  }
  return won / (positive * negative);
}
