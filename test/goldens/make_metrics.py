#!/usr/bin/env python3
"""Writes metrics.json: scikit-learn's metrics of random answers, with ties, weights and classes that never occur.

Scores are multiples of 1/64, so that f32 holds them exactly and many are equal. The test shows them to a model whose one
layer is the identity.

Run: python3 test/goldens/make_metrics.py   (needs numpy and scikit-learn)
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def scores(rows, n, spread=1.0):
    return np.round(rng.normal(0, spread, (rows, n)) * 64) / 64


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def weights(rows, weighted):
    if not weighted:
        return None
    w = rng.integers(0, 9, rows) / 4
    w[0] = 1
    return w


def classes(name, rows, n, weighted=False, absent=()):
    present = [c for c in range(n) if c not in absent]
    y = rng.choice(present, rows)
    y[:len(present)] = present
    z = scores(rows, n)
    z[np.arange(rows), y] += rng.integers(0, 3, rows)
    if absent:
        z[:, absent] -= 64
    w = weights(rows, weighted)
    p = softmax(z)
    answer = z.argmax(1)
    kept = np.arange(rows) if w is None else np.flatnonzero(w)
    labels = sorted(set(y[kept]) | set(answer[kept]))
    common = {"labels": labels, "average": "macro", "sample_weight": w, "zero_division": 0}
    k = {"labels": list(range(n)), "sample_weight": w}
    if n == 2:
        auc = m.roc_auc_score(y, p[:, 1], sample_weight=w)
    else:
        auc = float(np.mean([m.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in present]))
    # Of equal scores the first counts as the largest, which scikit-learn leaves open.
    rank = ((z > z[np.arange(rows), y][:, None]) |
            ((z == z[np.arange(rows), y][:, None]) & (np.arange(n)[None] < y[:, None]))).sum(1)
    expected = {
        "precision": m.precision_score(y, answer, **common),
        "recall": m.recall_score(y, answer, **common),
        "f1": m.f1_score(y, answer, **common),
        "auc": auc,
        "top-2": float(np.average(rank < 2, weights=w)),
    }
    if n > 2:
        untied = z + np.arange(n)[::-1] / 1024
        expected["top-2"] = m.top_k_accuracy_score(y, untied, k=2, **k)
    return record(name, "classes", z, y, w, expected, m.confusion_matrix(y, answer, **k))


def binary(name, rows, n, weighted=False):
    y = rng.integers(0, 2, (rows, n))
    z = scores(rows, n) + y
    w = weights(rows, weighted)
    answer = (z > 0).astype(int)
    shape = (lambda a: a.ravel()) if n == 1 else (lambda a: a)
    common = {"average": "binary" if n == 1 else "macro", "sample_weight": w, "zero_division": 0}
    expected = {
        "precision": m.precision_score(shape(y), shape(answer), **common),
        "recall": m.recall_score(shape(y), shape(answer), **common),
        "f1": m.f1_score(shape(y), shape(answer), **common),
        "auc": m.roc_auc_score(shape(y), shape(z), average="macro", sample_weight=w),
    }
    confusion = m.confusion_matrix(y.ravel(), answer.ravel(), sample_weight=w) if n == 1 else None
    return record(name, "probabilities", z, y, w, expected, confusion)


def values(name, rows, n, weighted=False, offset=0.0):
    y = scores(rows, n, 2) + offset
    z = y + scores(rows, n, 0.5)
    w = weights(rows, weighted)
    expected = {"mae": m.mean_absolute_error(y, z, sample_weight=w), "r2": m.r2_score(y, z, sample_weight=w)}
    return record(name, "values", z, y, w, expected, None)


def record(name, kind, z, y, w, expected, confusion):
    return {"name": name, "kind": kind, "outputs": z.shape[1], "z": (z * 64).astype(int).ravel().tolist(),
            "y": (y * 64).astype(int).ravel().tolist() if kind == "values" else y.ravel().tolist(),
            "weights": None if w is None else w.tolist(),
            "expected": {k: float(v) for k, v in expected.items()},
            "confusion": None if confusion is None else np.asarray(confusion, dtype=float).tolist()}


CASES = [
    classes("two classes", 61, 2),
    classes("two classes, weighted", 61, 2, weighted=True),
    classes("five classes", 120, 5),
    classes("five classes, weighted", 120, 5, weighted=True),
    classes("two of six classes neither occur nor are answered", 90, 6, absent=(2, 5)),
    binary("one sigmoid", 80, 1),
    binary("one sigmoid, weighted", 80, 1, weighted=True),
    binary("three sigmoids", 70, 3),
    binary("three sigmoids, weighted", 70, 3, weighted=True),
    values("one value", 50, 1),
    values("three values, weighted", 50, 3, weighted=True),
    values("values far from zero", 50, 2, offset=4096),
]
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES) + "\n]\n")
print(f"{len(CASES)} cases")
