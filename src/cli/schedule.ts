// `--schedule` and `--warmup`: how the learning rate goes, counted in epochs.
import { cosineDecay, exponentialDecay, type LearningRate, stepDecay, warmup } from "../index.ts";
import { UsageError } from "./errors.ts";
import type { ScheduleSettings, Settings } from "./settings.ts";

export const SCHEDULES = ["constant", "cosine", "step", "exponential"] as const;

interface ScheduleValues {
  readonly schedule?: (typeof SCHEDULES)[number];
  readonly warmup?: number;
  readonly finalLearningRate?: number;
  readonly decay?: number;
  readonly decayEvery?: number;
}

/** Errors: UsageError for a part that has no whole. */
export function readSchedule(values: ScheduleValues, epochs: number): ScheduleSettings | undefined {
  const { schedule: kind = "constant", warmup = 0, finalLearningRate, decay, decayEvery } = values;
  if (warmup >= epochs) {
    throw new UsageError(`expected --warmup of less than the ${epochs} of --epochs, received ${warmup}.`);
  }
  if (finalLearningRate !== undefined && kind !== "cosine") {
    throw new UsageError("expected --schedule cosine with --final-learning-rate.");
  }
  if ((decay ?? decayEvery) !== undefined && kind !== "step" && kind !== "exponential") {
    const option = decay === undefined ? "--decay-every" : "--decay";
    throw new UsageError(`expected --schedule step or exponential with ${option}.`);
  }
  if (kind === "constant") return undefined;
  if (kind === "cosine") return { kind, final: finalLearningRate ?? 0 };
  return { kind, rate: decay ?? 0.1, every: decayEvery ?? Math.ceil((epochs - warmup) / 3) };
}

/** For so many epochs of so many steps. */
export function scheduled(
  { schedule, warmup: rising = 0 }: Pick<Settings, "schedule" | "warmup">,
  initial: number,
  epochs: number,
  steps: number,
): LearningRate {
  const after = decaying(schedule, initial, epochs - rising, steps);
  return rising === 0 ? after : warmup({ steps: rising * steps, after });
}

function decaying(schedule: Settings["schedule"], initial: number, epochs: number, steps: number): LearningRate {
  if (!schedule) return initial;
  if (schedule.kind === "cosine") return cosineDecay({ initial, final: schedule.final, steps: epochs * steps });
  const { kind, rate, every } = schedule;
  return kind === "step"
    ? stepDecay({ initial, rate, every: every * steps })
    : exponentialDecay({ initial, rate, steps: every * steps });
}
