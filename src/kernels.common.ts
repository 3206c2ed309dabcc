// What every form of the entry `simdgrad/kernels` has, however the kernels arrive.
export { SimdgradError } from "./errors.ts";
export type {
  KernelName,
  Kernels,
  Map1,
  Map1Backward,
  Map1Parameter,
  Map1ParameterBackward,
  RowLoss,
  Sgemm,
} from "./runtime/abi.ts";
export { GEMM_ACCUMULATE, GEMM_PADDED, GEMM_RELU } from "./runtime/abi.ts";
export type { Simd } from "./runtime/module.ts";
export { type CreateKernels, gemmScratchBytes, type KernelSpace, type KernelSpaceOptions } from "./runtime/space.ts";
