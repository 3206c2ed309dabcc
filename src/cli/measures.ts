// `--metrics`: the model's own metrics by name, beside the scores that are always shown.
import type { Preprocessing } from "../data.ts";
import { show } from "../errors.ts";
import { type Dataset, type Measures, type MetricName, type Model, sequential } from "../index.ts";
import { UsageError } from "./errors.ts";
import type { Option } from "./options.ts";

/** Of classes; `top-k` where there are more than two. */
const OF_CLASSES = ["accuracy", "precision", "recall", "f1", "auc"];
const OF_NUMBERS = ["mae", "r2"];

const isTop = (name: string) => /^top-[1-9]\d{0,8}$/.test(name);

export const METRICS: Option<MetricName[]> = {
  value: "f1,auc",
  about: `beside the loss: ${OF_CLASSES.join(", ")}, top-2 (top-3, ...); of numbers ${OF_NUMBERS.join(", ")}`,
  read: (given, option) => {
    const names = given.split(",").map((name) => name.trim());
    const wrong = names.find((name) => ![...OF_CLASSES, ...OF_NUMBERS].includes(name) && !isTop(name));
    if (wrong === undefined) return [...new Set(names)] as MetricName[];
    throw new UsageError(
      `expected ${option} to be of ${OF_CLASSES.join(", ")}, top-2 (top-3, ...), ${OF_NUMBERS.join(", ")}, received ${show(wrong)}.`,
    );
  },
};

/** Errors: UsageError for metrics of other targets; `classes` is 0 for numbers. */
export function checkMetrics(names: readonly MetricName[], classes: number): void {
  for (const name of names) {
    if (isTop(name) ? classes > 2 && Number(name.slice(4)) <= classes : OF_NUMBERS.includes(name) === (classes === 0)) {
      continue;
    }
    const target = classes === 0 ? "a number" : `${classes} classes`;
    throw new UsageError(`expected --metrics that fit the target, which is ${target}, received ${name}.`);
  }
}

/** The same model with metrics of its own. */
export function withMetrics(model: Model, metrics: readonly MetricName[]): Model {
  const measured = sequential({ ...model.spec, metrics });
  measured.setWeights(model.weights);
  return measured;
}

/** What a model measures of samples, in the target's units. Nothing for a model without metrics. */
export function measuresOf(model: Model, preprocessing: Preprocessing, samples: Dataset): Measures | undefined {
  const { metrics } = model.spec;
  if (!metrics) return undefined;
  const found = inUnits(model.evaluate(samples), preprocessing);
  return Object.fromEntries(metrics.map((name) => [name, found[name]]));
}

/** Networks predict numbers that were scaled. */
export function inUnits<T extends Measures & { validationMae?: number }>(report: T, { target }: Preprocessing): T {
  if (target?.kind !== "number") return report;
  const { mae, validationMae } = report;
  return {
    ...report,
    ...(mae === undefined ? {} : { mae: mae / target.factor }),
    ...(validationMae === undefined ? {} : { validationMae: validationMae / target.factor }),
  };
}
