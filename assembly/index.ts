// The kernels' exports. src/runtime/abi.ts types them; a test checks that the two agree.
export * from "./gemm";
export * from "./reductions";
export * from "./elementary";
export * from "./activations";
export * from "./softmax";
export * from "./losses";
export * from "./metrics";
export * from "./optimizers";
export * from "./random";
export * from "./buffers";
