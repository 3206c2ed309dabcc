"""PyTorch as a contestant: pytorch.py KIND SIZES BATCH THREADS MILLISECONDS FOLDER prints a Measurement as JSON.

FOLDER holds what the contestants in JavaScript see too, as raw little-endian numbers: the initial weights and the
batches (or the digits). KIND is step, predict or digits.
"""

import json
import os
import re
import resource
import sys
import time

import numpy as np
import torch

kind, sizes, batch, threads, milliseconds, folder = sys.argv[1:]
sizes = [int(n) for n in sizes.split("-")]
batch, milliseconds = int(batch), float(milliseconds)
torch.set_num_threads(int(threads))
SAMPLE_SECONDS = 1e-3
EPOCHS = 30


def read(name, dtype, *shape):
    return torch.from_numpy(np.fromfile(f"{folder}/{name}", dtype).reshape(shape))


def create_network():
    flat = np.fromfile(f"{folder}/weights", np.float32)
    modules, at = [], 0
    for inputs, outputs in zip(sizes, sizes[1:]):
        layer = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():
            kernel = flat[at : at + inputs * outputs].reshape(inputs, outputs)
            layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
            at += inputs * outputs
            layer.bias.copy_(torch.from_numpy(flat[at : at + outputs]))
            at += outputs
        modules += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def create_step():
    network = create_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, foreach=True)

    def step(x, labels):
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return network, step


def train_digits():
    network, step = create_step()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(train_y)).split(batch):
            step(train_x[rows], train_y[rows])
    return network


def rotating(function, *columns):
    t = 0

    def run():
        nonlocal t
        t += 1
        return function(*(column[(t - 1) % len(column)] for column in columns))

    return run


def loaded_blas():
    with open("/proc/self/maps") as maps:
        names = {line.rsplit("/", 1)[-1].strip() for line in maps if re.search("blas|mkl_core", line)}
    return max(names, key=len, default="its own")


def warm(run, seconds):
    start, runs = time.perf_counter(), 0
    while runs == 0 or time.perf_counter() - start < seconds:
        run()
        runs += 1
    return (time.perf_counter() - start) / runs


def idle_seconds():
    """Of all cores together."""
    with open("/proc/stat") as stat:
        return int(stat.readline().split()[4]) / os.sysconf("SC_CLK_TCK")


def measure(run):
    """Median seconds of a run, the number of samples, the part of `threads` cores that nobody else took (cores.ts)."""
    warm(run, 0)
    group = max(1, round(SAMPLE_SECONDS / warm(run, milliseconds / 2000)))
    samples = []
    before, idle, start = resource.getrusage(resource.RUSAGE_SELF), idle_seconds(), time.perf_counter()
    while len(samples) < 3 or time.perf_counter() - start < milliseconds / 1000:
        begin = time.perf_counter()
        for _ in range(group):
            run()
        samples.append((time.perf_counter() - begin) / group)
    after, elapsed = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    there = min(elapsed, own, (own + idle_seconds() - idle) / min(int(threads), os.cpu_count()))
    return float(np.median(samples)), len(samples), there / elapsed


if kind == "digits":
    train_x, test_x = (read(f"{part}-x", np.float32, -1, sizes[0]) for part in ("train", "test"))
    train_y, test_y = (read(f"{part}-y", np.int32, -1).long() for part in ("train", "test"))
    begin = time.perf_counter()
    network = train_digits()
    cold = time.perf_counter() - begin
    with torch.no_grad():
        check = [(network(test_x).argmax(1) == test_y).float().mean().item(), cold]
    run, units = train_digits, EPOCHS * len(train_y)
else:
    x = read("x", np.float32, -1, batch, sizes[0])
    if kind == "step":
        run, units = rotating(create_step()[1], x, read("labels", np.int32, -1, batch).long()), 1
        check = [run() for _ in range(3)]
    else:
        network = create_network()

        @torch.inference_mode()
        def predict(x):
            return torch.softmax(network(x), 1)

        run, units = rotating(predict, x), batch
        check = predict(x[0]).flatten().tolist()

seconds, count, share = measure(run)
versions = {"PyTorch": torch.__version__, "BLAS": loaded_blas(), "Python": sys.version.split()[0]}
print(json.dumps({"rate": units / seconds, "samples": count, "check": check, "share": share, "versions": versions}))
