// The learner: an actor that chooses and a critic that foresees, trained on whole episodes. The actor's loss is none of
// the library's, so its step is written out: forward, the loss's gradient by hand, backward, step.
// Source: Williams 1992 (REINFORCE); Schulman et al. 2016 (generalized advantage estimation).
import { adam, dense, type Model, sequential } from "simdgrad";
import type { Random } from "../random.ts";
import { ACTIONS, OBSERVED, push } from "./physics.ts";

/** Steps after which an episode is cut; the pole stands then. */
export const LONGEST = 500;

const LEARNING_RATE = 1e-2;
/** What a reward counts that comes a step later. */
const DISCOUNT = 0.99;
/** How little the critic is trusted: at 0 it foresees all but the next reward, at 1 the rewards alone count. */
const TRACE = 0.97;
/** The critic's steps on each set of episodes. */
const CRITIC_STEPS = 5;
/** The critic's unit: the most that there can be, so that it learns numbers of about 1. */
const MOST = 1 / (1 - DISCOUNT);

export interface Agent {
  /** From states to the actions' probabilities. */
  readonly actor: Model;
  /** From states to the discounted rewards still to come, in units of MOST. */
  readonly critic: Model;
}

export interface Episode {
  /** One more than actions: the last one is where it ended. */
  readonly states: Float64Array[];
  readonly actions: number[];
  /** Whether the pole fell; it stood when the episode was cut. */
  fallen: boolean;
}

/** Both actions are equally likely at first. */
export function agentOf(seed: number): Agent {
  const hidden = dense(64, { activation: "tanh" });
  const common = { input: OBSERVED, optimizer: adam({ learningRate: LEARNING_RATE }), seed };
  return {
    actor: sequential({
      ...common,
      layers: [hidden, dense(ACTIONS, { activation: "softmax", kernelInit: "zeros" })],
    }),
    critic: sequential({ ...common, layers: [hidden, dense(1)], loss: "mean-squared-error" }),
  };
}

/** Plays episodes side by side, so that one call of the actor serves all that still run. */
export function play({ actor }: Agent, count: number, random: Random): Episode[] {
  const poles = Array.from({ length: count }, () => {
    const state = Float64Array.from({ length: OBSERVED }, () => random.uniform(-0.05, 0.05));
    const episode: Episode = { states: [state.slice()], actions: [], fallen: false };
    return { state, episode };
  });
  let running = poles;
  while (running.length > 0) {
    const probabilities = actor.predict(running.map(({ state }) => state));
    running = running.filter(({ state, episode }, i) => {
      const action = random.uniform() < probabilities[ACTIONS * i] ? 0 : 1;
      episode.fallen = push(state, action);
      episode.states.push(state.slice());
      episode.actions.push(action);
      return !episode.fallen && episode.actions.length < LONGEST;
    });
  }
  return poles.map(({ episode }) => episode);
}

/** One step of the actor and some of the critic. */
export function learn({ actor, critic }: Agent, episodes: readonly Episode[]): void {
  const judged = episodes.map((episode) => judge(critic, episode));
  const x = episodes.flatMap(({ states }) => states.slice(0, -1));
  const actions = episodes.flatMap(({ actions }) => actions);
  const advantages = standardize(judged.flatMap(({ advantages }) => advantages));

  const probabilities = actor.forward(x);
  actor.zeroGradients();
  actor.backward(policyGradient(probabilities, actions, advantages));
  actor.step();

  const returns = judged.flatMap(({ returns }) => returns);
  for (let i = 0; i < CRITIC_STEPS; i++) critic.trainBatch(x, returns);
}

/** The gradient of -mean(advantage * log p(action)) by the probabilities; `backward` takes it through the softmax.
 *  Shapes: probabilities and the result [steps, ACTIONS], flat. */
export function policyGradient(
  probabilities: Float32Array,
  actions: readonly number[],
  advantages: readonly number[],
): Float32Array {
  const gradient = new Float32Array(probabilities.length);
  for (const [i, action] of actions.entries()) {
    const at = ACTIONS * i + action;
    gradient[at] = -advantages[i] / (actions.length * probabilities[at]);
  }
  return gradient;
}

/** How much better each step's outcome was than foreseen, and what the critic should have foreseen.
 *  What follows a cut is foreseen too, what follows a fall is nothing. */
function judge(critic: Model, { states, actions, fallen }: Episode) {
  const values = critic.predict(states);
  const advantages: number[] = new Array(actions.length);
  const returns: number[] = new Array(actions.length);
  if (fallen) values[actions.length] = 0;
  let advantage = 0;
  for (let t = actions.length - 1; t >= 0; t--) {
    const surprise = 1 + MOST * (DISCOUNT * values[t + 1] - values[t]);
    advantage = surprise + DISCOUNT * TRACE * advantage;
    advantages[t] = advantage;
    returns[t] = values[t] + advantage / MOST;
  }
  return { advantages, returns };
}

/** To mean 0 and deviation 1. */
function standardize(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance) || 1;
  return values.map((value) => (value - mean) / deviation);
}
