#!/usr/bin/env python3
"""Writes files.json: files that the safetensors package wrote, with what is in them.

Run: python3 test/goldens/make_files.py   (needs safetensors, numpy and ml_dtypes)
"""
import base64
import json
import pathlib

import ml_dtypes
import numpy as np
from safetensors.numpy import save


def case(name, tensors, metadata, **more):
    content = {
        key: {"shape": list(values.shape), "data": values.astype(np.float64).ravel().tolist()}
        for key, values in tensors.items()
    }
    file = base64.b64encode(save(tensors, metadata)).decode()
    return {"name": name, "file": file, "tensors": content, "metadata": metadata or {}, **more}


def model(dtypes):
    """A network 3-5-2, its halves and bfloats exact in f32; outputs in float64."""
    random = np.random.default_rng(2)
    shapes = {"0.kernel": (3, 5), "0.bias": (5,), "1.kernel": (5, 2), "1.bias": (2,)}
    tensors = {
        name: random.uniform(-1, 1, shape).astype(dtype) for (name, shape), dtype in zip(shapes.items(), dtypes)
    }
    spec = {
        "input": 3,
        "layers": [{"kind": "dense", "units": 5, "activation": "relu"}, {"kind": "dense", "units": 2}],
    }
    metadata = {"format": "simdgrad", "version": "1", "spec": json.dumps(spec), "user": '{"made": "by Python"}'}
    x = random.uniform(-1, 1, (4, 3)).astype(np.float32).astype(np.float64)
    wide = {name: values.astype(np.float64) for name, values in tensors.items()}
    hidden = np.maximum(x @ wide["0.kernel"] + wide["0.bias"], 0)
    outputs = hidden @ wide["1.kernel"] + wide["1.bias"]
    more = {"x": x.ravel().tolist(), "outputs": outputs.ravel().tolist()}
    return case(f"a model in {', '.join(np.dtype(d).name for d in dtypes)}", tensors, metadata, **more)


def main():
    f32, f16, bf16 = np.float32, np.float16, ml_dtypes.bfloat16
    odd = {
        "empty": np.zeros((0, 3), f32),
        "scalar": np.array(-0.5, f16),
        "three": np.array([[1], [2], [3]], bf16),
        "after": np.array([1e-40, 3e38], f32),
        "ä \U0001f600": np.array([65504, 2**-24], f16),
    }
    cases = [
        case("odd sizes", odd, {"": "empty", "é": '"\\\n'}),
        case("no tensor", {}, None),
        model([f32, f32, f32, f32]),
        model([f16, f16, f16, f16]),
        model([bf16, bf16, bf16, bf16]),
        model([f16, f32, bf16, f16]),
    ]
    pathlib.Path(__file__).with_name("files.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
