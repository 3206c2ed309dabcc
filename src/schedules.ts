// Learning rates that change as training goes on: functions of the number of optimizer steps made, so that a resumed
// run has the same rates. A schedule carries its function unseen, so that a program holds only those that it makes.
import { SimdgradError, show } from "./errors.ts";
import { power, powInteger, sinQuarter } from "./numerics.ts";
import { type Complete, checkCount, checkKeys, checkNumber, checkRequired, orDefault } from "./options.ts";

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** The rate of the first step. */
  initial: number;
  /** The rate at the end and from there on. Default 0. */
  final?: number | undefined;
  /** Optimizer steps from one to the other. */
  steps: number;
}

/** Options of `stepDecay`. */
export interface StepDecayOptions {
  /** The rate of the first step. */
  initial: number;
  /** The rate is multiplied by it after each `every` steps. Default 0.1. */
  rate?: number | undefined;
  /** Units: optimizer steps. */
  every: number;
}

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions {
  /** The rate of the first step. */
  initial: number;
  /** The rate is multiplied by it over `steps` steps, a little at each. */
  rate: number;
  /** Default 1. */
  steps?: number | undefined;
}

/** Options of `warmup`. */
export interface WarmupOptions {
  /** The rate of the first step. Default 0. */
  initial?: number | undefined;
  /** Steps in which it grows, linearly, to the rate that `after` begins with. */
  steps: number;
  /** The rate, or the schedule, which counts its steps from the end of the warmup. */
  after: LearningRate;
}

type Checked<K extends string, O> = Complete<O> & { readonly kind: K };
/** A cosine decay as data. */
export type CosineDecaySpec = Checked<"cosine-decay", CosineDecayOptions>;
/** A step decay as data. */
export type StepDecaySpec = Checked<"step-decay", StepDecayOptions>;
/** An exponential decay as data. */
export type ExponentialDecaySpec = Checked<"exponential-decay", ExponentialDecayOptions>;
/** A warmup as data. */
export type WarmupSpec = Checked<"warmup", WarmupOptions>;

/** Any schedule as data. */
export type Schedule = CosineDecaySpec | StepDecaySpec | ExponentialDecaySpec | WarmupSpec;
/** A rate, or a function of the number of optimizer steps made. */
export type LearningRate = number | Schedule;

/** One symbol for all copies of the package in a process: what the CommonJS files made, the others know. */
const RATE = Symbol.for("simdgrad.rate");

type RateFunction = (step: number) => number;

/** How the kinds that were used are made, so that plain data may name them: each is a constant. */
const met = new Map<unknown, (options: object) => Schedule>();

/** final + (initial - final) (1 + cos(pi t)) / 2, t = step / steps.
 *  Source: Loshchilov & Hutter 2017, eq. 5, as torch's CosineAnnealingLR up to its T_max. Errors: CONFIG. */
export function cosineDecay(options: CosineDecayOptions): CosineDecaySpec {
  const defaults = { initial: undefined, final: 0, steps: undefined };
  return make<CosineDecaySpec>("cosine-decay", options, defaults, ({ initial, final, steps }) => (step) => {
    // (1 + cos(pi t)) / 2 is the square of sin(pi (1 - t) / 2), which keeps its digits towards the end.
    const left = sinQuarter(1 - Math.min(step / steps, 1));
    return left * left * initial + (1 - left * left) * final;
  });
}

/** initial rate^floor(step / every). Source: as torch's StepLR. Errors: CONFIG. */
export function stepDecay(options: StepDecayOptions): StepDecaySpec {
  const defaults = { initial: undefined, rate: 0.1, every: undefined };
  return make<StepDecaySpec>("step-decay", options, defaults, ({ initial, rate, every }) => (step) => {
    return initial * powInteger(rate, Math.floor(step / every));
  });
}

/** initial rate^(step / steps). Error: relative, about (step / steps) 2^-53.
 *  Source: as torch's ExponentialLR, whose `steps` is 1. Errors: CONFIG. */
export function exponentialDecay(options: ExponentialDecayOptions): ExponentialDecaySpec {
  const defaults = { initial: undefined, rate: undefined, steps: 1 };
  return make<ExponentialDecaySpec>("exponential-decay", options, defaults, ({ initial, rate, steps }) => (step) => {
    return initial * power(rate, step / steps);
  });
}

/** A linear start, then another rate or schedule. Source: as torch's LinearLR within SequentialLR. Errors: CONFIG. */
export function warmup(options: WarmupOptions): WarmupSpec {
  const defaults = { initial: 0, steps: undefined, after: undefined };
  return make<WarmupSpec>("warmup", options, defaults, ({ initial, steps, after }) => (step) => {
    if (step >= steps) return rateAt(after, step - steps);
    return initial + (rateAt(after, 0) - initial) * (step / steps);
  });
}

function make<S extends Schedule>(
  kind: S["kind"],
  given: object | undefined,
  defaults: Readonly<Record<string, number | undefined>>,
  rate: (spec: S) => RateFunction,
): S {
  const options = orDefault(given, {});
  const where = kind.replace("-d", "D");
  met.set(kind, (options) => make(kind, options, defaults, rate));
  const names = Object.keys(defaults);
  checkKeys(where, options, names);
  checkRequired(
    where,
    options,
    names.filter((name) => defaults[name] === undefined),
  );
  const spec: Record<string, unknown> = { kind };
  for (const [name, standard] of Object.entries(defaults)) {
    const value = orDefault((options as Record<string, unknown>)[name], standard);
    if (name === "after") spec[name] = checkLearningRate(`${where}, after`, value);
    else if (name === "steps" || name === "every") spec[name] = checkCount(where, name, value);
    else spec[name] = checkNumber(where, name, value, { low: 0, openLow: name === "rate" });
  }
  return Object.freeze(Object.defineProperty(spec, RATE, { value: rate(spec as unknown as S) })) as unknown as S;
}

/** The rate of the step after `step` others. */
export function rateAt(rate: LearningRate, step: number): number {
  return typeof rate === "number" ? rate : (rate as Schedule & { [RATE]: RateFunction })[RATE](step);
}

/** A number, a schedule that its function made, or plain data of a kind that was made before. Errors: CONFIG. */
export function checkLearningRate(where: string, value: unknown): LearningRate {
  if (typeof value !== "object" || value === null) return checkNumber(where, "learningRate", value, { low: 0 });
  if (RATE in value) return value as unknown as Schedule;
  const { kind, ...options } = value as { readonly kind?: unknown };
  const made = met.get(kind)?.(options);
  if (made) return made;
  throw new SimdgradError(
    "CONFIG",
    `${where}: expected learningRate to be a number or a schedule, received ${show(value)}.`,
    "Make one with its function: cosineDecay, stepDecay, exponentialDecay or warmup.",
  );
}

const FACTORIES = {
  "cosine-decay": cosineDecay,
  "step-decay": stepDecay,
  "exponential-decay": exponentialDecay,
  warmup: (options: WarmupOptions) => warmup({ ...options, after: readLearningRate(options.after) as LearningRate }),
};

/** The same from plain data of any kind, as a file has it; what is none is left to checkLearningRate. Errors: CONFIG. */
export function readLearningRate(value: unknown): unknown {
  const { kind, ...options } = Object(value) as { readonly kind?: keyof typeof FACTORIES };
  return Object.hasOwn(FACTORIES, String(kind)) ? FACTORIES[kind as Schedule["kind"]](options as never) : value;
}
