#!/usr/bin/env python3
"""Writes halves.json: 16-bit floats as numpy and ml_dtypes convert them.

widened: SHA-256 of all 65,536 values as little-endian f32, NaNs left out. rounded: the bits of f32 numbers, and those
of the halves that they round to (base64, little-endian): every exponent that matters, with fractions at ties, beside
them and at random.

Run: python3 test/goldens/make_halves.py   (needs numpy and ml_dtypes)
"""
import base64
import hashlib
import json
import pathlib

import ml_dtypes
import numpy as np


def widened(dtype):
    values = np.arange(65536, dtype=np.uint16).view(dtype).astype(np.float32)
    return hashlib.sha256(values[~np.isnan(values)].astype("<f4").tobytes()).hexdigest()


def words():
    random = np.random.default_rng(1)
    fractions = [0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x2FFF, 0x3000, 0x3001, 0x7FEFFF, 0x7FF000, 0x7FFFFF]
    for exponent in [0, 1, *range(100, 143)]:
        # Ties of subnormal halves lie higher, by as much as the number is small.
        shift = min(max(113 - exponent, 0), 9)
        for fraction in fractions + [(f << shift) & 0x7FFFFF for f in fractions] + list(random.integers(0, 2**23, 8)):
            for sign in (0, 1):
                yield sign << 31 | exponent << 23 | int(fraction)


def text(array, dtype):
    return base64.b64encode(array.astype(dtype).tobytes()).decode()


def main():
    bits = np.unique(np.fromiter(words(), np.uint32))
    values = bits.view(np.float32)
    bits, values = bits[np.abs(values) < 65520], values[np.abs(values) < 65520]
    halves = values.astype(np.float16)
    assert np.isfinite(halves).all() and np.isinf(np.float32([65520]).astype(np.float16)).all()
    golden = {
        "widened": {"F16": widened(np.float16), "BF16": widened(ml_dtypes.bfloat16)},
        "rounded": {"words": text(bits, "<u4"), "halves": text(halves.view(np.uint16), "<u2")},
    }
    pathlib.Path(__file__).with_name("halves.json").write_text(json.dumps(golden, indent=2) + "\n")


main()
