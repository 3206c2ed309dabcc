#!/usr/bin/env python3
"""Writes schedules.json: learning rates of torch.optim.lr_scheduler, step by step, beside the options that name the
same schedule here.

Run: python3 test/goldens/make_schedules.py   (needs torch)
"""
import json
import pathlib

import torch
from torch.optim import lr_scheduler as lr


def rates(initial, make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=initial)
    scheduler = make(optimizer)
    result = []
    for _ in range(steps):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return result


def cosine(steps, final):
    return lambda o: lr.CosineAnnealingLR(o, T_max=steps, eta_min=final)


def warmed(steps, start, after):
    def make(o):
        first = lr.LinearLR(o, start_factor=start, end_factor=1, total_iters=steps)
        return lr.SequentialLR(o, [first, after(o)], milestones=[steps])
    return make


CASES = [
    ("cosineDecay", {"initial": 0.1, "steps": 40}, 0.1, cosine(40, 0), 41),
    ("cosineDecay", {"initial": 0.3, "final": 0.01, "steps": 37}, 0.3, cosine(37, 0.01), 38),
    ("stepDecay", {"initial": 0.1, "every": 7}, 0.1, lambda o: lr.StepLR(o, 7), 50),
    ("stepDecay", {"initial": 0.5, "rate": 0.7, "every": 1}, 0.5, lambda o: lr.StepLR(o, 1, 0.7), 50),
    ("exponentialDecay", {"initial": 0.2, "rate": 0.95}, 0.2, lambda o: lr.ExponentialLR(o, 0.95), 60),
    ("exponentialDecay", {"initial": 0.2, "rate": 0.5, "steps": 10}, 0.2,
     lambda o: lr.ExponentialLR(o, 0.5 ** 0.1), 60),
    ("warmup", {"initial": 0.02, "steps": 9, "after": 0.1}, 0.1,
     lambda o: lr.LinearLR(o, start_factor=0.2, end_factor=1, total_iters=9), 20),
    ("warmup", {"initial": 0.025, "steps": 8, "after": ["cosineDecay", {"initial": 0.1, "final": 0.001, "steps": 30}]},
     0.1, warmed(8, 0.25, cosine(30, 0.001)), 39),
    ("warmup", {"initial": 0.05, "steps": 5, "after": ["stepDecay", {"initial": 0.1, "rate": 0.3, "every": 4}]},
     0.1, warmed(5, 0.5, lambda o: lr.StepLR(o, 4, 0.3)), 30),
    ("warmup", {"initial": 0.01, "steps": 6, "after": ["exponentialDecay", {"initial": 0.1, "rate": 0.9}]},
     0.1, warmed(6, 0.1, lambda o: lr.ExponentialLR(o, 0.9)), 40),
]

lines = [json.dumps({"factory": factory, "options": options, "rates": rates(initial, make, steps)},
                    separators=(",", ":"))
         for factory, options, initial, make, steps in CASES]
path = pathlib.Path(__file__).with_name("schedules.json")
path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
print(f"{len(lines)} cases")
