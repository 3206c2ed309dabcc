// What every form of the entry `simdgrad/infer` has, however the kernels arrive.
export type { Region } from "./contract.ts";
export { type ErrorCode, SimdgradError } from "./errors.ts";
export type { LayerSpec } from "./layers/nested.ts";
export type { Inputs, NumberArray } from "./model/matrix.ts";
export type { LoadPredictor, Predictor, PredictorOptions, PredictorSpec } from "./model/predictor.ts";
export type { UserMetadata } from "./model/user-metadata.ts";
