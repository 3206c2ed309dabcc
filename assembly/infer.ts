// The exports of the build that only predicts: some of assembly/index.ts, and a product of packed weights in place of its
// own, with the same bits.
export { sgemm_packed, pack_panels } from "./gemm_packed";
export { first_non_finite, copy_matrix } from "./buffers";
export { relu, leaky_relu, elu, selu, gelu, silu, softplus, sigmoid, tanh } from "./activations";
export { softmax } from "./softmax";
export { layer_norm, batch_norm } from "./norms";
export { add } from "./add";
export { gather_rows } from "./embedding";
