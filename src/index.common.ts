// What every form of the entry `simdgrad` has, however the kernels arrive.

export type { AnyLayer, Region } from "./contract.ts";
export { type ErrorCode, SimdgradError } from "./errors.ts";
export type { Initializer, InitializerName } from "./initializers.ts";
export { type ActivationSpec, activation } from "./layers/activation.ts";
export type { Activation, ActivationName } from "./layers/activations.ts";
export { type BatchNormOptions, type BatchNormSpec, batchNorm } from "./layers/batch-norm.ts";
export { concat } from "./layers/concat.ts";
export {
  type CustomBackward,
  type CustomForward,
  type CustomLayer,
  type CustomOptions,
  type CustomParameter,
  type CustomSpec,
  defineLayer,
  type LayerDefinition,
} from "./layers/define.ts";
export { type DenseOptions, type DenseSpec, dense } from "./layers/dense.ts";
export { type DropoutSpec, dropout } from "./layers/dropout.ts";
export { type EmbeddingOptions, type EmbeddingSpec, embedding } from "./layers/embedding.ts";
export { type LayerNormSpec, layerNorm } from "./layers/layer-norm.ts";
export type { ConcatSpec, Layer, LayerSpec, ResidualSpec } from "./layers/nested.ts";
export type { NormOptions } from "./layers/normalization.ts";
export { residual } from "./layers/residual.ts";
export type { BinaryCrossEntropySpec } from "./losses/binary-cross-entropy.ts";
export type { CrossEntropySpec } from "./losses/cross-entropy.ts";
export type { Loss, LossSpec } from "./losses/index.ts";
export type { HuberSpec, MeanAbsoluteErrorSpec, MeanSquaredErrorSpec } from "./losses/regression.ts";
export type { Measures, Metric, MetricName } from "./metrics.ts";
export { type LoadOptions, planMemory, type RunOptions, type SequentialConfig } from "./model/build.ts";
export { type ConfusionMatrix, confusionMatrix } from "./model/confusion.ts";
export type { Dataset } from "./model/data.ts";
export type { EarlyStoppingOptions } from "./model/early-stopping.ts";
export type { FitOptions } from "./model/fit-options.ts";
export type { HealthReport, LayerHealth } from "./model/health-report.ts";
export type { Inputs, NumberArray } from "./model/matrix.ts";
export type { Model } from "./model/model.ts";
export type { BatchReport, EpochReport, History, Outcome } from "./model/reports.ts";
export { createRuntime, type Runtime } from "./model/runtime.ts";
export type { DataSource, DataStream } from "./model/stream.ts";
export type { TargetsInput } from "./model/targets.ts";
export type { TrainBatchOptions } from "./model/train-batch.ts";
export type { Evaluation } from "./model/trainer.ts";
export type { ForwardOptions } from "./model/two-way.ts";
export type { Parameter } from "./model/views.ts";
export type { WeightRecord } from "./model/weights.ts";
export type { SaveOptions } from "./model/write-model.ts";
export { type AdagradOptions, type AdagradSpec, adagrad } from "./optimizers/adagrad.ts";
export { type AdamOptions, type AdamSpec, type AdamwSpec, adam, adamw } from "./optimizers/adam.ts";
export type { OptimizerSpec } from "./optimizers/index.ts";
export { type RmspropOptions, type RmspropSpec, rmsprop } from "./optimizers/rmsprop.ts";
export { type SgdOptions, type SgdSpec, sgd } from "./optimizers/sgd.ts";
export type { NetworkConfig, NetworkSpec } from "./plan/layout.ts";
export type { MemoryReport, PlanReport, PlanStep } from "./plan/print.ts";
export type { LaneWorker } from "./runtime/lanes.ts";
export type { Simd } from "./runtime/module.ts";
export {
  type CosineDecayOptions,
  type CosineDecaySpec,
  cosineDecay,
  type ExponentialDecayOptions,
  type ExponentialDecaySpec,
  exponentialDecay,
  type LearningRate,
  type Schedule,
  type StepDecayOptions,
  type StepDecaySpec,
  stepDecay,
  type WarmupOptions,
  type WarmupSpec,
  warmup,
} from "./schedules.ts";
export type { AbortSignalLike, WasmModule } from "./wasm.ts";
