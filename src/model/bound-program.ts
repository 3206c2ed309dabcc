// The lists of a program that goes forward and on from there.
import type { Step } from "../contract.ts";
import type { Program } from "../plan/arena.ts";
import type { Engine, RunList } from "./engine.ts";

interface TwoPartProgram extends Program {
  readonly forwardSteps: number;
  readonly commits: readonly Step[];
}

export interface BoundProgram<P extends TwoPartProgram> {
  readonly program: P;
  readonly forward: RunList;
  readonly rest: RunList;
  /** Where there is anything to commit. */
  readonly commit: RunList | undefined;
}

export function bindProgram<P extends TwoPartProgram>(engine: Engine, program: P): BoundProgram<P> {
  const { steps, commits, forwardSteps } = program;
  return {
    program,
    forward: engine.list(steps.slice(0, forwardSteps)),
    rest: engine.list(steps.slice(forwardSteps)),
    commit: commits.length > 0 ? engine.list(commits) : undefined,
  };
}
