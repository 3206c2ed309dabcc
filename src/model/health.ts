// What a network that trains badly is like: its layers and its next step, measured.
import type { Step } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import type { ParameterPlan } from "../plan/layout.ts";
import { chunksOf, loadBatch } from "./batches.ts";
import type { ReadDataset } from "./data.ts";
import { tinyEpsilon } from "./divergence.ts";
import type { Engine } from "./engine.ts";
import { findingsOf, type LayerFacts } from "./health-findings.ts";
import { type HealthReport, type LayerHealth, report } from "./health-report.ts";
import { deadUnits, symmetricUnits, unitsOf, zeroUnits } from "./health-units.ts";
import { type Trainer, variantOf } from "./trainer.ts";

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
    const layers = layersOf(engine);
    const healths = layers.map((layer) => examineLayer(engine, layer, active, updated));
    const findings = findingsOf(
      healths,
      layers.map((layer, i) => factsOf(engine, layer, healths[i])),
    );
    const makesUpdates = engine.plan.update && !engine.plan.inference;
    if (makesUpdates && !updated && healths.every(({ nonFinite }) => nonFinite === 0)) {
      findings.push(
        tinyEpsilon(engine) === undefined
          ? "The next step would overflow: lower the rate."
          : "The next step would divide by 0: raise epsilon.",
      );
    }
    return report(healths, findings);
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

/** By layer, which units are not 0 on some row, in inference mode. */
function activeUnits(engine: Engine, data: ReadDataset): Map<string, boolean[]> {
  const active = new Map<string, boolean[]>();
  const program = engine.plan.losses.get(variantOf(data))?.evaluate;
  if (!program) return active;
  const steps = program.steps.slice(0, program.forwardSteps);
  const last = new Map<string, Step>(steps.map((step) => [step.owner, step]));
  for (const selection of chunksOf(data, engine)) {
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
  for (const selection of chunksOf(data, engine)) {
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

function factsOf(engine: Engine, { parameters }: Layer, { gradientNorm }: LayerHealth): LayerFacts {
  const units = unitsOf(engine, parameters, "ref");
  const zeros = zeroUnits(units);
  const weights = parameters.reduce((sum, { ref }) => sum + ref.columns, 1);
  return {
    zeros,
    blocks: zeros.length > 0 && zeros.length === units?.columns,
    trains: parameters.some(({ trainable }) => trainable),
    slope: gradientNorm / Math.sqrt(weights),
  };
}
