// From a network's spec to its plan: the only file that knows the order of things.
import type { BufferRef, Builder, Emitted, LossRule, Pullback, Step, Targets } from "../contract.ts";
import { SimdgradError } from "../errors.ts";
import { emitInitializer } from "../initializers.ts";
import { type Activation, activationName, activationOf, emitActivation } from "../layers/activations.ts";
import { layerRule } from "../layers/rule.ts";
import { type LossSpec, lossRule } from "../losses/index.ts";
import { type MetricName, Tally } from "../metrics.ts";
import { PURPOSE_INITIALIZE } from "../numerics.ts";
import { emitClip } from "../optimizers/clip.ts";
import { optimizerRule } from "../optimizers/index.ts";
import type { Program } from "./arena.ts";
import { batchBuffer, ProgramBuilder } from "./builder.ts";
import { type Layout, layOut, momentsOf, type NetworkSpec, type PlannedLayer, trainableBlocks } from "./layout.ts";
import { withPanels } from "./panels.ts";

export type TargetKind = "labels" | "rows";
/** A kind of targets, without or with row weights. */
export type LossVariant = TargetKind | `${TargetKind}Weighted`;

/** A forward list and, where there is one, its way back in the same program. */
export interface TwoWayProgram extends Program {
  /** How many of the steps are the forward part. */
  readonly forwardSteps: number;
  /** Right after the forward part here: a custom loop's step is its caller's. */
  readonly commits: readonly Step[];
  readonly x: BufferRef;
  readonly output: BufferRef;
  readonly dOutput: BufferRef;
  readonly dInput: BufferRef;
}

/** The same program where both modes are the same steps. */
export interface TwoWayPrograms {
  readonly training: TwoWayProgram;
  readonly inference: TwoWayProgram;
}

/** Forward, then the loss with all that follows. */
export interface LossProgram extends Program {
  /** How many of the steps are the forward part. */
  readonly forwardSteps: number;
  readonly x: BufferRef;
  readonly targets: BufferRef;
  /** Row weights, in the weighted variant only. */
  readonly weights: BufferRef | undefined;
  /** What the loss sees; there after the forward part. */
  readonly z: BufferRef;
  readonly commits: readonly Step[];
  /** Between forward and loss: counts right answers, for classifiers. */
  readonly correct: Step | undefined;
}

export interface InferenceProgram extends Program {
  readonly x: BufferRef;
  readonly output: BufferRef;
}

/** A loss over one kind of targets, with or without row weights. */
export interface LossPrograms {
  /** Absent in a plan that only predicts. */
  readonly train: LossProgram | undefined;
  readonly evaluate: LossProgram;
}

export interface Plan extends Layout {
  readonly infer: InferenceProgram;
  /** Absent in a plan that only predicts. */
  readonly twoWay: TwoWayPrograms | undefined;
  readonly initialize: Program;
  readonly update: Program | undefined;
  /** By variant; without a loss none, without classes no labels. */
  readonly losses: ReadonlyMap<LossVariant, LossPrograms>;
  /** Where there are metrics beside accuracy. */
  readonly tally: Tally | undefined;
  /** Every program that needs space. */
  readonly programs: readonly Program[];
}

/** Errors: CONFIG where layers, loss and optimizer do not fit each other. */
export function compile(spec: NetworkSpec, inference = false): Plan {
  const layout = layOut(spec, inference ? undefined : momentsOf(spec));
  const network = splitHead(layout, spec.loss);
  const infer = inferProgram(network);
  const twoWay = inference ? undefined : twoWayPrograms(network);
  const initialize = initializeProgram(layout);
  const update = inference ? undefined : updateProgram(layout);
  const losses: Plan["losses"] = spec.loss ? lossPrograms(network, spec.loss) : new Map();
  const all = [
    infer,
    ...(twoWay ? new Set([twoWay.training, twoWay.inference]) : []),
    initialize,
    update,
    ...[...losses.values()].flatMap(({ train, evaluate }) => [train, evaluate]),
  ];
  const programs = all.filter((program) => program !== undefined);
  const tally = spec.metrics && tallyOf(layout, spec.metrics);
  return { ...layout, infer, twoWay, initialize, update, losses, tally, programs };
}

/** None where a kernel counts all that is asked for. */
function tallyOf({ spec, outputs }: Layout, metrics: readonly MetricName[]): Tally | undefined {
  if (!spec.loss)
    throw new SimdgradError(
      "CONFIG",
      "metrics: expected a loss, which tells what targets are, received none.",
      "Pass `loss` to sequential.",
    );
  const tally = new Tally(metrics, lossRule(spec.loss).targets, outputs);
  return tally.names.length > 0 ? tally : undefined;
}

/** The plan that predicts and nothing else: it needs no rule of losses and optimizers. */
export function compilePredictor(spec: NetworkSpec): Plan {
  const layout = layOut(spec);
  const rowMajor = inferProgram({ layout, body: layout.planned, head: "linear" });
  const infer = { ...rowMajor, steps: withPanels(rowMajor.steps) };
  const initialize = { name: "initialize", steps: [], inputs: [], outputs: [] };
  const programs = [infer];
  return {
    ...layout,
    infer,
    initialize,
    twoWay: undefined,
    update: undefined,
    losses: new Map(),
    tally: undefined,
    programs,
  };
}

/** A network whose last activation stands apart, so that the loss can be fused with it. */
interface Network {
  readonly layout: Layout;
  readonly body: readonly PlannedLayer[];
  /** Linear when the loss sees the last layer as it is. */
  readonly head: Activation;
}

function splitHead(layout: Layout, loss: LossSpec | undefined): Network {
  const { planned } = layout;
  const last = planned.at(-1) as PlannedLayer;
  const needed = loss && lossRule(loss).head;
  if (needed === undefined) return { layout, body: planned, head: "linear" };
  const { spec } = last;
  const activation = activationOf(spec);
  const found = activation ? activationName(activation) : spec.kind;
  if (found !== needed) {
    throw new SimdgradError(
      "CONFIG",
      `loss ${loss?.kind}: expected the last layer to end in ${needed}, received ${found}.`,
      `Give the last layer { activation: "${needed}" }, or add activation("${needed}").`,
    );
  }
  const before = planned.slice(0, -1);
  const body =
    spec.kind === "dense" ? [...before, { ...last, spec: { ...spec, activation: "linear" as const } }] : before;
  return { layout, body, head: activation as Activation };
}

function emitBody({ body, layout }: Network, b: ProgramBuilder, x: BufferRef): Emitted {
  b.keep(x);
  return emitChain(body, layout, b, x);
}

/** Emits layers after each other; their way back ends at the first that trains, where dLoss/dInput is not wanted. */
function emitChain(chain: readonly PlannedLayer[], layout: Layout, b: ProgramBuilder, x: BufferRef): Emitted {
  const { owner } = b;
  let output = x;
  const pullbacks = chain.map((layer): Pullback => {
    const { name, spec, parameters, index, buffers } = layer;
    const rule = layerRule(spec);
    b.owner = name;
    if (!rule.anyStride && output.stride % 4 !== 0) output = copyInto(b, output, b.buffer(output.columns));
    const chains = layer.chains.map(
      (within) => (b: Builder, x: BufferRef) => emitChain(within, layout, b as ProgramBuilder, x),
    );
    const emitted = rule.emit(spec, b, output, parameters, { index, buffers, chains });
    output = emitted.output;
    return emitted.backward;
  });
  b.owner = owner;
  const firstToTrain = chain.findIndex((layer) => trains(layer, layout));
  const stop = firstToTrain < 0 ? chain.length : firstToTrain;
  const backward: Pullback = (b, dOutput, wantsInput) => {
    const builder = b as ProgramBuilder;
    const { owner } = builder;
    let dy: BufferRef | undefined = dOutput;
    for (let i = chain.length - 1; i >= (wantsInput ? 0 : stop) && dy; i--) {
      builder.owner = chain[i].name;
      dy = pullbacks[i](b, dy, wantsInput || i > stop);
    }
    builder.owner = owner;
    return wantsInput ? dy : undefined;
  };
  return { output, backward };
}

function trains({ parameters, chains }: PlannedLayer, layout: Layout): boolean {
  return (
    parameters.some((parameter) => layout.gradientOf.has(parameter)) ||
    chains.some((chain) => chain.some((layer) => trains(layer, layout)))
  );
}

function copyInto(b: ProgramBuilder, from: BufferRef, to: BufferRef): BufferRef {
  b.call(to, "copy_matrix", b.rows, from.columns, from, from.stride, to, to.stride);
  return to;
}

/** The output as callers read it: rows without padding. */
function contiguous(b: ProgramBuilder, y: BufferRef, to: BufferRef): BufferRef {
  b.owner = "output";
  return y.stride === y.columns ? y : copyInto(b, y, to);
}

function inferProgram(network: Network): InferenceProgram {
  const { layout, head } = network;
  const b = new ProgramBuilder("inference", layout);
  const x = batchBuffer("x", "activationGradients", layout.spec.input, false);
  const { output: z } = emitBody(network, b, x);
  b.owner = "head";
  const y = emitActivation(head, b, z).output;
  const output = contiguous(b, y, batchBuffer("output", "activationGradients", layout.outputs, false));
  return { name: "infer", steps: b.steps, inputs: [x], outputs: [output], x, output };
}

function twoWayPrograms(network: Network): TwoWayPrograms {
  const training = twoWayProgram(network, true);
  return { training, inference: network.layout.modal ? twoWayProgram(network, false) : training };
}

function twoWayProgram(network: Network, training: boolean): TwoWayProgram {
  const { layout, head } = network;
  const { outputs, spec } = layout;
  const b = new ProgramBuilder("training", layout, training);
  const x = batchBuffer("x", "inputOutput", spec.input, false);
  const body = emitBody(network, b, x);
  b.owner = "head";
  const top = emitActivation(head, b, body.output);
  const output = contiguous(b, top.output, batchBuffer("output", "inputOutput", outputs, false));
  const forwardSteps = b.steps.length;

  b.startBackward(true);
  b.owner = "output";
  const dOutput = batchBuffer("dOutput", "inputOutput", outputs, false);
  b.owner = "head";
  const dHead = copyInto(b, dOutput, { ...b.buffer(outputs), stride: top.output.stride });
  const dz = top.backward(b, dHead, true) as BufferRef;
  const dx = body.backward(b, dz, true) as BufferRef;
  const dInput = copyInto(b, dx, batchBuffer("dInput", "inputOutput", spec.input, false));
  const inputs = [x, dOutput];
  return {
    name: training ? "forward, backward" : "forward, backward (inference mode)",
    steps: b.steps,
    commits: b.commits,
    inputs,
    outputs: [output, dInput],
    forwardSteps,
    x,
    output,
    dOutput,
    dInput,
  };
}

function initializeProgram(layout: Layout): Program {
  const b = new ProgramBuilder("inference", layout);
  const [seedLow, seedHigh] = b.seed;
  layout.parameters.forEach(({ ref, shape, init, name }, stream) => {
    b.owner = name;
    emitInitializer(b, init, ref, shape, { seedLow, seedHigh, purpose: PURPOSE_INITIALIZE, stream });
  });
  for (const { ref, initial, name } of layout.buffers) {
    b.owner = name;
    b.call(ref, "fill", ref.columns, ref, initial);
  }
  return { name: "initialize", steps: b.steps, inputs: [], outputs: [] };
}

function updateProgram(layout: Layout): Program | undefined {
  const { optimizer } = layout.spec;
  if (!optimizer) return undefined;
  const b = new ProgramBuilder("inference", layout);
  b.owner = "optimizer";
  const blocks = trainableBlocks(layout);
  // The loss's sums have been read by then.
  emitClip(optimizer, b, blocks, layout.sums);
  for (const block of blocks) optimizerRule(optimizer).emit(optimizer, b, block);
  return { name: "update", steps: b.steps, inputs: [], outputs: [] };
}

function lossPrograms(network: Network, loss: LossSpec): Plan["losses"] {
  const kinds: readonly TargetKind[] = lossRule(loss).targets === "classes" ? ["labels", "rows"] : ["rows"];
  const variant = (kind: TargetKind, weighted: boolean): LossPrograms => ({
    train: network.layout.inference ? undefined : lossProgram(network, loss, kind, weighted, true),
    evaluate: lossProgram(network, loss, kind, weighted, false),
  });
  return new Map(
    kinds.flatMap((kind) => [[kind, variant(kind, false)] as const, [`${kind}Weighted`, variant(kind, true)] as const]),
  );
}

/** Forward in training mode, the loss and its way back through all layers; or forward in inference mode and the loss. */
function lossProgram(
  network: Network,
  loss: LossSpec,
  kind: TargetKind,
  weighted: boolean,
  training: boolean,
): LossProgram {
  const { layout } = network;
  const region = training ? "inputOutput" : "activationGradients";
  const b = new ProgramBuilder(training ? "training" : "inference", layout);
  const x = batchBuffer("x", region, layout.spec.input, false);
  const targets = batchBuffer(kind, region, kind === "labels" ? 1 : layout.outputs, false);
  const weights = weighted ? batchBuffer("weights", region, 1, false) : undefined;
  const body = emitBody(network, b, x);
  const z = body.output;
  const forwardSteps = b.steps.length;

  b.startBackward(false);
  b.owner = "loss";
  const rule: LossRule<LossSpec> = lossRule(loss);
  const dz = training ? { ...b.buffer(layout.outputs), stride: z.stride } : z;
  rule.emit(loss, b, z, { kind, ref: targets }, weights ?? 0, dz, layout.sums, training ? 0 : layout.running);
  if (training) body.backward(b, dz, false);
  return {
    name: `${training ? "train" : "evaluate"} (${kind}${weighted ? ", weighted" : ""})`,
    steps: b.steps,
    commits: b.commits,
    inputs: weights ? [x, targets, weights] : [x, targets],
    outputs: [],
    forwardSteps,
    x,
    targets,
    weights,
    z,
    correct: correctStep(b, rule, z, { kind, ref: targets }),
  };
}

/** Counts right answers: the largest output at the right place, or each sigmoid on the right side of one half. */
function correctStep(
  b: ProgramBuilder,
  rule: LossRule<LossSpec>,
  z: BufferRef,
  { kind, ref }: Targets,
): Step | undefined {
  const from = [b.rows, z.columns, z, z.stride, ref] as const;
  const step = (kernel: Step["kernel"], args: Step["args"]): Step => ({ kernel, args, owner: "accuracy", writes: z });
  if (rule.targets === "values") return undefined;
  // A sigmoid is above one half where its logit is above 0.
  if (rule.targets === "probabilities") return step("count_correct_binary", [...from, ref.stride, 0]);
  return kind === "labels" ? step("count_correct", from) : step("count_correct_dense", [...from, ref.stride]);
}
