// The cart-pole example: its physics against Gymnasium's, its gradient against differences, and that it learns.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { agentOf, LONGEST, play, policyGradient } from "../../examples/cart-pole/agent.ts";
import { push } from "../../examples/cart-pole/physics.ts";
import { train } from "../../examples/cart-pole/train.ts";
import { randomOf } from "../../examples/random.ts";

describe("the physics", () => {
  // Gymnasium 1.3.0: env = CartPoleEnv(); env.state = np.array(START); env.step(action) for each action.
  const START = [0.02, -0.03, 0.04, 0.01];
  const ACTIONS = [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1];
  const AFTER: Record<number, number[]> = {
    1: [0.0194, 0.16452614664163978, 0.0402, -0.2697989554581428],
    6: [0.05136708050342835, 0.35784988654538863, -0.008088878231840029, -0.5225706444167558],
    12: [0.15294699237634957, 1.531920940266807, -0.1611624265173102, -2.3750540941904723],
    13: [0.1835854111816857, 1.7280617447310573, -0.20866350840111964, -2.712629650939922],
  };

  it("is Gymnasium's CartPole-v1, until the pole falls", () => {
    const state = Float64Array.from(START);
    for (const [i, action] of ACTIONS.entries()) {
      expect(push(state, action)).toBe(i + 1 === ACTIONS.length);
      // Thirteen steps, each of a few roundings of numbers up to 3.
      for (const [j, value] of (AFTER[i + 1] ?? []).entries()) expect(Math.abs(state[j] - value)).toBeLessThan(1e-14);
    }
  });

  it("ends where the track ends, to both sides", () => {
    for (const side of [-1, 1]) {
      expect(push(Float64Array.of(side * 2.39, side * 0.4, 0, 0), 0)).toBe(false);
      expect(push(Float64Array.of(side * 2.39, side * 0.6, 0, 0), 0)).toBe(true);
    }
  });
});

describe("the actor's loss", () => {
  it("has the gradient that differences give", () => {
    const random = randomOf(5);
    const actions = [0, 1, 1, 0, 1];
    const advantages = actions.map(() => random.normal());
    const probabilities = Float32Array.from({ length: 10 }, () => random.uniform(0.1, 0.9));
    const loss = (p: Float64Array) =>
      actions.reduce((sum, action, i) => sum - advantages[i] * Math.log(p[2 * i + action]), 0) / actions.length;
    const gradient = policyGradient(probabilities, actions, advantages);
    for (const [at, value] of gradient.entries()) {
      const [above, below] = [1, -1].map((sign) => {
        const moved = Float64Array.from(probabilities);
        moved[at] += sign * 1e-5;
        return loss(moved);
      });
      // h^2 |A| / (3 n p^3) is at most 1e-10 * 4 / (3 * 5 * 1e-3) = 3e-8; an f32 of at most 10 is within 5e-7.
      expect(Math.abs((above - below) / 2e-5 - value)).toBeLessThan(1e-6);
    }
  });
});

/** Ten seconds and more of computing, on a busy machine of minutes. */
describe("training", { timeout: 600_000 }, () => {
  it.each([1, 2, 3])("balances the pole within 1,000 episodes, seed %i", (seed) => {
    const { solved, episodes, mean, agent } = train(seed, 1000);
    expect({ solved, enough: mean >= 475, full: episodes >= 100 }).toEqual({ solved: true, enough: true, full: true });
    const unseen = play(agent, 50, randomOf(seed + 100)).map(({ actions }) => actions.length);
    expect(Math.max(...unseen)).toBe(LONGEST);
    expect(unseen.reduce((sum, length) => sum + length) / 50).toBeGreaterThan(400);
  });

  it("repeats itself with a seed, bit for bit", () => {
    const runs = [7, 7, 8].map((seed) => train(seed, 80).agent.actor.save());
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  it("starts from an even choice, which soon fails", () => {
    const agent = agentOf(1);
    expect([...agent.actor.predict([[0.01, -0.02, 0.03, 0.04]])]).toEqual([0.5, 0.5]);
    for (const { actions, states, fallen } of play(agent, 20, randomOf(1))) {
      expect(fallen).toBe(true);
      expect(states).toHaveLength(actions.length + 1);
      expect(actions.length).toBeLessThan(200);
    }
  });
});

describe("the program", { timeout: 600_000 }, () => {
  const program = fileURLToPath(new URL("../../build/examples/cart-pole.mjs", import.meta.url));
  const start = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });

  it("tells what it does, and that 80 episodes are too few", () => {
    const { status, stdout, stderr } = start("--seed", "3", "--episodes", "80");
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    expect(stdout.match(/^episode +\d+ {2}last 100 lasted +\d+\.\d steps {2}━+$/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^not solved after 80 episodes, [\d,]+ steps, \d+\.\d s$/m);
  });

  it("refuses what is no count", () => {
    const { status, stderr } = start("--seed", "x");
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'Expected --seed to be a whole number, received "x".\n' });
  });
});
