// What is wrong with a network that trains badly: units, layers and steps, measured and put into words.
import type { Step } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import type { ParameterPlan } from "../plan/layout.ts";
import { table } from "../plan/print.ts";
import { loadBatch } from "./batches.ts";
import type { ReadDataset } from "./data.ts";
import type { Engine } from "./engine.ts";
import { type Trainer, variantOf } from "./trainer.ts";

/** Gradients of this norm explode; those this much under the largest layer's, by root mean square, vanish. */
const EXPLODING = 1e3;
const VANISHING = 1e-4;
/** An update of this share of the weights wrecks them. */
const LARGE_UPDATE = 0.1;
/** Units that a finding names. */
const NAMED = 8;

/** What one layer's numbers are like. */
export interface LayerHealth {
  /** Its index, nested "2.0". */
  readonly layer: string;
  /** Output 0 on every row of the data, and no gradient; undefined where no data was given. */
  readonly deadUnits: readonly number[] | undefined;
  /** Groups of units with the same weights: they give the same output, and training may never part them. */
  readonly symmetricUnits: readonly (readonly number[])[];
  /** Euclidean norms of the layer's parameters and of their gradients. */
  readonly weightNorm: number;
  readonly gradientNorm: number;
  /** Norm of the next update by norm of the weights, clipping and all; about 1e-3 is usual. Undefined without an
   *  optimizer, and where the update cannot be made. */
  readonly updateRatio: number | undefined;
  /** How many weights and gradients are NaN or infinite. */
  readonly nonFinite: number;
}

/** What `health` found. */
export interface HealthReport {
  readonly layers: readonly LayerHealth[];
  /** What is wrong, in words; empty when nothing is. */
  readonly findings: readonly string[];
  /** A table and the findings. */
  toString(): string;
}

interface Layer {
  readonly name: string;
  readonly parameters: ParameterPlan[];
}

/** Looks at the gradients that are there, or those of the loss on `data`; leaves the model as it was. Errors: DATA. */
export function examine(trainer: Trainer, data: ReadDataset | undefined): HealthReport {
  const { engine } = trainer;
  const state = engine.copyState();
  const gradients = engine.view(engine.plan.blocks.gradients);
  const before = gradients.slice();
  try {
    const active = data && activeUnits(engine, data);
    if (data) gradients.set(meanGradients(engine, trainer, data));
    const updated = nextWeights(engine, trainer);
    const layers = layersOf(engine).map((layer) => examineLayer(engine, layer, active, updated));
    return report(layers, findingsOf(engine, layers, updated));
  } finally {
    engine.view(engine.plan.blocks.gradients).set(before);
    engine.restoreState(state);
  }
}

/** Layers with parameters, which tell their layer by name, and activations that stand alone. */
function layersOf({ plan }: Engine): Layer[] {
  const layers = new Map<string, Layer>();
  for (const { name, spec } of plan.planned) {
    if (spec.kind === "activation") layers.set(name, { name, parameters: [] });
    for (const parameter of plan.parameters.filter((each) => each.name.startsWith(`${name}.`))) {
      const owner = parameter.name.slice(0, parameter.name.lastIndexOf("."));
      if (!layers.has(owner)) layers.set(owner, { name: owner, parameters: [] });
      layers.get(owner)?.parameters.push(parameter);
    }
  }
  return [...layers.values()];
}

function* chunks({ placement }: Engine, { rows }: ReadDataset): Generator<{ start: number; count: number }> {
  for (let start = 0; start < rows; start += placement.capacity) {
    yield { start, count: Math.min(placement.capacity, rows - start) };
  }
}

/** By layer, which units are not 0 on some row, in inference mode. */
function activeUnits(engine: Engine, data: ReadDataset): Map<string, boolean[]> {
  const active = new Map<string, boolean[]>();
  const program = engine.plan.losses.get(variantOf(data))?.evaluate;
  if (!program) return active;
  const steps = program.steps.slice(0, program.forwardSteps);
  const last = new Map<string, Step>(steps.map((step) => [step.owner, step]));
  for (const selection of chunks(engine, data)) {
    loadBatch("health", engine, program, data, selection);
    const calls = engine.bind(steps, selection.count);
    for (const [i, step] of steps.entries()) {
      calls[i]();
      if (last.get(step.owner) === step) markActive(engine, step, selection.count, active);
    }
  }
  return active;
}

function markActive(engine: Engine, { owner, writes }: Step, rows: number, active: Map<string, boolean[]>): void {
  const { columns, stride } = writes;
  const units = active.get(owner) ?? new Array<boolean>(columns).fill(false);
  active.set(owner, units);
  const values = engine.view(writes, rows * stride);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) if (values[i * stride + j] !== 0) units[j] = true;
  }
}

/** The loss's gradients over all rows. */
function meanGradients(engine: Engine, trainer: Trainer, data: ReadDataset): Float64Array {
  const gradients = engine.view(engine.plan.blocks.gradients);
  const sums = new Float64Array(gradients.length);
  let total = 0;
  for (const selection of chunks(engine, data)) {
    const weight = trainer.differentiate("health", data, selection);
    if (weight === 0) continue;
    total += weight;
    for (let i = 0; i < sums.length; i++) sums[i] += weight * gradients[i];
  }
  return sums.map((sum) => sum / total);
}

/** The weights after one more step; undefined where that cannot be made. */
function nextWeights(engine: Engine, trainer: Trainer): Float32Array | undefined {
  if (!engine.plan.update || engine.plan.inference) return undefined;
  const state = engine.copyState();
  const gradients = engine.view(engine.plan.blocks.gradients);
  const unclipped = gradients.slice();
  try {
    trainer.stepOnGradients();
    return engine.view(engine.plan.blocks.parameters).slice();
  } catch (error) {
    if (error instanceof SimdgradError && error.code === "NUMERIC") return undefined;
    throw error;
  } finally {
    gradients.set(unclipped);
    engine.restoreState(state);
  }
}

function examineLayer(
  engine: Engine,
  { name, parameters }: Layer,
  active: Map<string, boolean[]> | undefined,
  updated: Float32Array | undefined,
): LayerHealth {
  let [weights, gradients, changes, nonFinite] = [0, 0, 0, 0];
  for (const { ref, gradient } of parameters) {
    const start = ref.within?.offset ?? 0;
    engine.view(ref).forEach((value, i) => {
      weights += value * value;
      changes += updated ? (updated[start + i] - value) ** 2 : 0;
      nonFinite += Number(!Number.isFinite(value));
    });
    engine.view(gradient).forEach((value) => {
      gradients += value * value;
      nonFinite += Number(!Number.isFinite(value));
    });
  }
  return {
    layer: name,
    deadUnits: active && deadUnits(active.get(name) ?? [], unitsOf(engine, parameters, "gradient")),
    symmetricUnits: symmetricUnits(unitsOf(engine, parameters, "ref")),
    weightNorm: Math.sqrt(weights),
    gradientNorm: Math.sqrt(gradients),
    updateRatio: updated && Math.sqrt(changes / (weights || 1)),
    nonFinite,
  };
}

/** The columns of a kernel, each with its bias, where there is one. */
interface Units {
  readonly columns: number;
  readonly values: Float32Array;
  readonly biases: Float32Array | undefined;
}

function unitsOf(engine: Engine, parameters: readonly ParameterPlan[], part: "ref" | "gradient"): Units | undefined {
  const kernel = parameters.find(({ name }) => name.endsWith(".kernel"));
  const bias = parameters.find(({ name }) => name.endsWith(".bias"));
  const values = kernel && engine.view(kernel[part]);
  return values && { columns: kernel.shape[1], values, biases: bias && engine.view(bias[part]) };
}

/** Whether f holds for every number that feeds a unit. */
function everyOf({ columns, values, biases }: Units, unit: number, f: (value: number, at: number) => boolean): boolean {
  for (let i = 0; i < values.length; i += columns) if (!f(values[i + unit], i)) return false;
  return !biases || f(biases[unit], -1);
}

function deadUnits(active: readonly boolean[], gradients: Units | undefined): number[] {
  const still = (unit: number) => !gradients || everyOf(gradients, unit, (value) => value === 0);
  return [...active.keys()].filter((unit) => !active[unit] && still(unit));
}

/** Units whose weights are all 0. */
function zeroUnits(units: Units | undefined): number[] {
  const all = Array.from({ length: units?.columns ?? 0 }, (_, unit) => unit);
  return all.filter((unit) => everyOf(units as Units, unit, (value) => value === 0));
}

function symmetricUnits(units: Units | undefined): number[][] {
  const groups: number[][] = [];
  if (!units) return groups;
  const { columns, values, biases } = units;
  for (let j = 0; j < columns; j++) {
    const isSame = ([k]: readonly number[]) =>
      everyOf(units, j, (value, at) => value === (at < 0 ? biases?.[k] : values[at + k]));
    const group = groups.find(isSame);
    if (group) group.push(j);
    else groups.push([j]);
  }
  return groups.filter((group) => group.length > 1);
}

function findingsOf(engine: Engine, layers: readonly LayerHealth[], updated: Float32Array | undefined): string[] {
  const { plan } = engine;
  const parts = layersOf(engine).map(({ parameters }) => parameters);
  const counts = parts.map((parameters) => parameters.reduce((sum, { ref }) => sum + ref.columns, 1));
  const trains = parts.map((parameters) => parameters.some(({ trainable }) => trainable));
  const zeros = parts.map((parameters) => zeroUnits(unitsOf(engine, parameters, "ref")));
  const meanSquares = layers.map(({ gradientNorm }, i) => gradientNorm / Math.sqrt(counts[i]));
  const largest = Math.max(...meanSquares);
  // A whole layer of zeros lets nothing through, forward or back: it is the cause of what is 0 elsewhere.
  const blocked = parts.some(
    (parameters, i) => zeros[i].length > 0 && zeros[i].length === unitsOf(engine, parameters, "ref")?.columns,
  );
  const starved = layers.some(({ gradientNorm }, i) => trains[i] && largest > 0 && gradientNorm === 0);
  const findings: string[] = [];
  layers.forEach(({ layer, deadUnits, symmetricUnits, gradientNorm, updateRatio, nonFinite }, i) => {
    const say = (text: string) => findings.push(`Layer ${layer}: ${text}`);
    if (nonFinite > 0) say(`${nonFinite} weights or gradients are not finite: set weights from before.`);
    // A single output may well start from 0.
    const zero = zeros[i].length > 1 || deadUnits?.includes(zeros[i][0]) || starved ? zeros[i] : [];
    if (zero.length > 0) say(`${named(zero)} only weights of 0: start from random ones.`);
    const dead = blocked ? [] : (deadUnits ?? []).filter((unit) => !zero.includes(unit));
    if (dead.length > 0) {
      say(`${named(dead)} dead, 0 on every row and without gradient: lower the rate, or use leaky-relu.`);
    }
    for (const group of symmetricUnits) {
      if (!zero.includes(group[0])) say(`${named(group)} the same weights: start from random ones.`);
    }
    if (gradientNorm > EXPLODING) {
      say(
        `gradients explode, their norm is ${gradientNorm.toPrecision(3)}: scale the data, lower the rate, set clipNorm.`,
      );
    } else if (trains[i] && meanSquares[i] < VANISHING * largest && !(blocked && gradientNorm === 0)) {
      const share = (meanSquares[i] / largest).toPrecision(2);
      say(`gradients vanish, ${share} of the largest layer's: use relu and its kin, or fewer layers.`);
    }
    if (updateRatio !== undefined && updateRatio > LARGE_UPDATE) {
      say(`the next step changes ${(100 * updateRatio).toPrecision(3)} % of the weights' size: lower the rate.`);
    }
  });
  if (plan.update && !plan.inference && !updated && layers.every(({ nonFinite }) => nonFinite === 0)) {
    findings.push("The next step would overflow: lower the rate.");
  }
  return findings;
}

function named(units: readonly number[]): string {
  const names = units.slice(0, NAMED).join(", ");
  return `units ${names}${units.length > NAMED ? ` and ${units.length - NAMED} more` : ""}`;
}

function report(layers: readonly LayerHealth[], findings: readonly string[]): HealthReport {
  const number = (value: number | undefined) => value?.toPrecision(3) ?? "";
  const rows = layers.map((layer) => [
    layer.layer,
    String(layer.deadUnits?.length ?? ""),
    String(layer.symmetricUnits.flat().length),
    number(layer.weightNorm),
    number(layer.gradientNorm),
    number(layer.updateRatio),
    String(layer.nonFinite),
  ]);
  const heading = ["layer", "dead", "symmetric", "weight norm", "gradient norm", "update/weight", "not finite"];
  return {
    layers,
    findings,
    toString: () => [table([heading, ...rows]), ...(findings.length > 0 ? findings : ["No findings."])].join("\n"),
  };
}
