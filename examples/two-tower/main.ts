// `npm run example:two-tower`: learns which thing a person will choose.
import { readCounts } from "../options.mjs";
import { places, recall, TESTED, TRAINED, train, truth } from "./train.ts";

const HELP = `Learns which thing a person will choose: two networks, one for people and one for things, and one loss.

  npm run example:two-tower -- --epochs 20

Options
  --seed N     of people, things and weights, default 1
  --epochs N   passes over the people, default 10
  --help       this page`;

const { seed, epochs } = await readCounts(HELP, { seed: 1, epochs: 10 });
const [trained, tested] = [TRAINED, TESTED].map((count) => count.toLocaleString("en-US"));
console.log(`${trained} people and the thing each chose; then ${tested} others choose from ${tested} other things.`);
console.log("recall@10: the thing is among the 10 that are nearest to the person, by chance 0.010\n");

const start = performance.now();
const { towers, unseen } = train(seed, epochs, ({ epoch, loss, recall }) => {
  const bar = "━".repeat(Math.round(40 * recall));
  console.log(`epoch ${String(epoch).padStart(2)}  loss ${loss.toFixed(4)}  recall@10 ${recall.toFixed(3)}  ${bar}`);
});
console.log(`\n${((performance.now() - start) / 1000).toFixed(1)} s`);

const [learned, best] = [places(towers, unseen), truth(unseen)];
for (const k of [1, 5, 10, 50]) {
  const cells = [recall(learned, k), recall(best, k), k / TESTED].map((share) => share.toFixed(3));
  console.log(`recall@${String(k).padEnd(3)} ${cells[0]}  with what nobody sees ${cells[1]}  by chance ${cells[2]}`);
}
