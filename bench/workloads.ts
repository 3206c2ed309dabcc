// Every workload, in the order in which they run.
import type { Workload } from "./workload.ts";
import { coldStart } from "./workloads/cold-start.ts";
import { elementwise } from "./workloads/elementwise.ts";
import { gemms } from "./workloads/gemm.ts";
import { inference } from "./workloads/inference.ts";
import { optimizers } from "./workloads/optimizers.ts";
import { steps } from "./workloads/steps.ts";

export const workloads: readonly Workload[] = [
  ...gemms,
  ...steps,
  ...inference,
  ...elementwise,
  ...optimizers,
  coldStart,
];
