// What a workload is, and what its processes tell each other.

export type Unit = "steps/s" | "rows/s" | "GFLOPS" | "ns/element" | "ms";

/** One contestant, set up in its own process. */
export interface Trial {
  /** Done before timing: throws when the contestant's results are wrong. What it returns is compared with the
   *  reference contestant's, within `tolerance` of the largest. */
  check?: () => number[] | Promise<number[]>;
  /** One sample: `units` steps, rows, floating-point operations or elements. */
  run: () => unknown;
  units: number;
  /** Called before each sample, outside its time. */
  prepare?: () => void;
  /** Threads that may run, 1 unless said. */
  lanes?: number;
  /** The work is done in processes of its own: this one's processor time says nothing. */
  elsewhere?: true;
}

export interface Workload {
  name: string;
  title: string;
  unit: Unit;
  /** The contestant whose check the others must meet. */
  reference?: string;
  tolerance?: number;
  contestants: Record<string, () => Trial | null>;
}

/** Of one process. `rate` is null where the engine lacks what the contestant needs. */
export interface Measurement {
  rate: number | null;
  samples: number;
  check: number[];
  /** GFLOPS of the control loop in this process, the smaller of before and after: what the core gave. */
  control: number;
  /** The part of the cores for its lanes that it had or left idle while measuring: under 1 when others took them. */
  share: number;
}

export interface Result {
  workload: string;
  title: string;
  unit: Unit;
  contestant: string;
  /** One a round. */
  values: number[];
  median: number | null;
  /** (largest - smallest) / median of the rounds that count, where there are two. */
  spread: number | null;
  /** Rounds in which every attempt met a slow or busy core. */
  disturbed: number;
  /** Why there is no median. */
  failure?: string;
}

export interface Report {
  date: string;
  versions: Record<string, string>;
  cpu: string;
  cores: number;
  platform: string;
  rounds: number;
  quick: boolean;
  results: Result[];
  /** GFLOPS of the control loop, where it is no workload of its own. */
  limits?: { strict: number | null };
  /** Published all the same: what spoke against it. */
  disturbance?: string;
}

/** Times fall as they get better; rates rise. */
export const higherIsBetter = (unit: Unit): boolean => unit !== "ns/element" && unit !== "ms";
