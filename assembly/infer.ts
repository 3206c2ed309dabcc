// The exports of the build that only predicts: a part of assembly/index.ts, with the same bits.
export { sgemm_nn } from "./gemm";
export { first_non_finite, copy_matrix } from "./buffers";
export { relu, leaky_relu, elu, selu, gelu, silu, softplus, sigmoid, tanh } from "./activations";
export { softmax } from "./softmax";
export { layer_norm, batch_norm } from "./norms";
export { add } from "./add";
export { gather_rows } from "./embedding";
