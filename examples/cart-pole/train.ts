// Playing and learning by turns until the pole is balanced.
import { randomOf } from "../random.ts";
import { type Agent, agentOf, learn, play } from "./agent.ts";

/** Gymnasium's mark for CartPole-v1: the last 100 episodes lasted 475 of at most 500 steps in the mean. */
export const SOLVED = 475;
const WINDOW = 100;
/** Episodes between two steps of the actor. */
const AT_ONCE = 8;

export interface Result {
  readonly agent: Agent;
  readonly solved: boolean;
  readonly episodes: number;
  /** Time steps of all episodes. */
  readonly steps: number;
  /** Mean length of the last 100 episodes. */
  readonly mean: number;
}

/** Stops when solved, or after so many episodes. The same seed gives the same result on every engine. */
export function train(seed: number, most: number, report: (result: Result) => void = () => {}): Result {
  const agent = agentOf(seed);
  const random = randomOf(seed);
  const lengths: number[] = [];
  for (;;) {
    const episodes = play(agent, AT_ONCE, random);
    lengths.push(...episodes.map(({ actions }) => actions.length));
    const mean = sum(lengths.slice(-WINDOW)) / Math.min(WINDOW, lengths.length);
    const solved = lengths.length >= WINDOW && mean >= SOLVED;
    const result = { agent, solved, episodes: lengths.length, steps: sum(lengths), mean };
    report(result);
    if (solved || lengths.length >= most) return result;
    learn(agent, episodes);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
