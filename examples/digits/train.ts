// The show without flags: train, and look at what was learned, what it took and how fast it went.
import type { Model } from "../../src/index.ts";
import { confusion, drawConfusion } from "./confusion.ts";
import type { Digits, Samples } from "./digits.ts";
import { drawGallery, type Guess, guesses } from "./gallery.ts";
import { BATCH, classifier } from "./network.ts";
import type { Options } from "./options.ts";
import { progress } from "./progress.ts";
import { showRace } from "./race.ts";
import { count, heading, type Terminal } from "./terminal.ts";

const WRONG_SHOWN = 12;

export async function trainDigits({ train, test }: Digits, options: Options, terminal: Terminal): Promise<void> {
  const { epochs, init, seed } = options;
  const model = classifier({ init, seed });
  heading(terminal, `Handwritten digits: ${count(train.rows)} to learn from, ${count(test.rows)} kept for the test`);
  terminal.print(model.summary());
  terminal.print();

  const { stop, ...callbacks } = progress(terminal, epochs, train.rows);
  await model.fit(train, { epochs, batchSize: BATCH, ...callbacks }).finally(stop);
  const { accuracy = 0 } = model.evaluate(test);
  terminal.print(`\ntest accuracy ${accuracy.toFixed(4)}`);

  showAnswers(model, test, terminal);
  heading(terminal, "Memory of the model");
  terminal.print(String(model.memory));
  showRace({ train, test }, options, terminal);
}

function showAnswers(model: Model, test: Samples, terminal: Terminal): void {
  const all = guesses(test, model.predictClasses(test.x), model.predict(test.x));
  const wrong = all.filter(({ truth, digit }) => truth !== digit);
  const right = all.filter(({ truth, digit }) => truth === digit);

  heading(terminal, "What was read for what was written");
  const counts = confusion(
    test.y,
    all.map(({ digit }) => digit),
  );
  terminal.print(drawConfusion(counts, terminal));

  const oneOfEach = right.filter(({ truth }, i) => right.findIndex((other) => other.truth === truth) === i);
  oneOfEach.sort((a, b) => a.truth - b.truth);
  showSome("read rightly", right, oneOfEach, test, terminal);
  if (wrong.length > 0) showSome("read wrongly", wrong, wrong.slice(0, WRONG_SHOWN), test, terminal);
}

function showSome(what: string, all: Guess[], shown: Guess[], test: Samples, terminal: Terminal): void {
  const some = shown.length < all.length ? `${shown.length} of the` : "The";
  heading(terminal, `${some} ${count(all.length)} that were ${what}`);
  terminal.print(drawGallery(test, shown, terminal));
}
