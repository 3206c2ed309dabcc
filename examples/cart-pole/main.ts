// `npm run example:cart-pole`: learns to balance a pole by policy gradient.
import { readCounts } from "../options.mjs";
import { randomOf } from "../random.ts";
import { LONGEST, play } from "./agent.ts";
import { SOLVED, train } from "./train.ts";

const HELP = `Learns to balance a pole on a cart by policy gradient, until it is solved.

  npm run example:cart-pole -- --seed 2

Options
  --seed N       of weights, actions and starts, default 1
  --episodes N   how many at most, default 1000
  --help         this page`;

const { seed, episodes } = await readCounts(HELP, { seed: 1, episodes: 1000 });
console.log(`A cart balances a pole for at most ${LONGEST} steps. Solved: ${SOLVED} in the mean of 100 episodes.\n`);

const start = performance.now();
const result = train(seed, episodes, ({ episodes, mean, solved }) => {
  if (episodes % 40 !== 0 && !solved) return;
  const bar = "━".repeat(Math.round((40 * mean) / LONGEST));
  console.log(`episode ${String(episodes).padStart(4)}  last 100 lasted ${mean.toFixed(1).padStart(5)} steps  ${bar}`);
});
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const steps = result.steps.toLocaleString("en-US");
console.log(
  `\n${result.solved ? "solved" : "not solved"} after ${result.episodes} episodes, ${steps} steps, ${seconds} s`,
);

const unseen = play(result.agent, 100, randomOf(seed + 1)).map(({ actions }) => actions.length);
console.log(`100 more without learning: ${unseen.reduce((a, b) => a + b) / 100} steps in the mean`);
process.exitCode = result.solved ? 0 : 1;
