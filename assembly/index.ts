// The kernels' exports. src/runtime/abi.ts types them; a test checks that the two agree.
export * from "./gemm";
export * from "./reductions";
export * from "./elementary";
export * from "./activations";
export * from "./softmax";
export * from "./losses";
export * from "./targets";
export * from "./metrics";
export * from "./optimizers";
export * from "./clip";
export * from "./random";
export * from "./dropout";
export * from "./norms";
export * from "./add";
export * from "./embedding";
export * from "./buffers";

/** First byte that the kernels' own tables do not use; a test holds it under ARENA_BASE of the ABI. */
export function heap_base(): usize {
  return __heap_base;
}
