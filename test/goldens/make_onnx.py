#!/usr/bin/env python3
"""Writes onnx.json: those of the ONNX project's operator tests that map onto a kernel.

Left out: Selu with other constants, Softmax over an inner axis, Gemm with alpha or beta, losses of more than two
dimensions (no kernel computes them), and Gelu, which this release of the test data does not have.

Run: python3 test/goldens/make_onnx.py [directory of the node tests]   (needs onnx and numpy)
"""
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper

NODE_TESTS = "/usr/share/libonnx-testdata/data/node"
NAMES = """
relu leakyrelu leakyrelu_default leakyrelu_example elu elu_default elu_example selu_default
softplus softplus_example sigmoid sigmoid_example tanh tanh_example exp exp_example log log_example erf
softmax_example softmax_large_number softmax_axis_2
matmul_2d gemm_transposeA gemm_transposeB gemm_default_no_bias gemm_default_zero_bias gemm_default_vector_bias
gemm_default_single_elem_vector_bias gemm_default_scalar_bias gemm_default_matrix_bias
sce_mean_log_prob sce_mean_weight_log_prob sce_mean_no_weight_ii_log_prob sce_mean_weight_ii_log_prob
sce_sum_log_prob sce_none_log_prob sce_none_weights_log_prob
adam adam_multiple adagrad adagrad_multiple momentum momentum_multiple nesterov_momentum
""".split()


def number(v):
    """Shortest decimal that names the same f32."""
    return int(v) if float(v).is_integer() else float(str(np.float32(v)))


def read_tensor(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    values = numpy_helper.to_array(tensor)
    assert values.dtype in (np.float32, np.int64)
    return {"shape": list(values.shape), "data": [number(v) for v in values.ravel()]}


def attribute(a):
    value = onnx.helper.get_attribute_value(a)
    return value.decode() if isinstance(value, bytes) else number(value)


def read_test(directory):
    node = onnx.load(str(directory / "model.onnx")).graph.node[0]
    tensors = {}
    for kind, names in (("input", node.input), ("output", node.output)):
        for i, name in enumerate(names):
            tensors[name] = read_tensor(directory / "test_data_set_0" / f"{kind}_{i}.pb")
    return {"op": node.op_type, "attributes": {a.name: attribute(a) for a in node.attribute}, "tensors": tensors}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else NODE_TESTS)
    lines = []
    for name in NAMES:
        lines.append(json.dumps({"name": name} | read_test(root / f"test_{name}"), separators=(",", ":")))
    pathlib.Path(__file__).with_name("onnx.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(lines)} tests")


if __name__ == "__main__":
    main()
