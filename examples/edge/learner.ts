// The model and its journal: what the object is without HTTP.
import { adam, dense, load, type Model, type SequentialConfig, sequential } from "simdgrad";
import {
  type Answer,
  CHECKPOINT_EVERY,
  type Feedback,
  KEPT,
  type Learned,
  type ObjectStorage,
  readJournal,
  write,
} from "./journal.ts";

export const PIXELS = 64;

/** Learns handwritten digits of 8 x 8 pixels from nothing. */
export const NETWORK: SequentialConfig = {
  input: PIXELS,
  layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
  loss: "cross-entropy",
  optimizer: adam({ learningRate: 1e-3 }),
  seed: 1,
};

export class Learner {
  readonly model: Model;
  readonly #storage: ObjectStorage;
  #feedbacks: number;
  /** By id, oldest first. */
  readonly #answers = new Map<string, Answer>();
  /** Since the last model that was kept. */
  #learned: Learned[] = [];

  private constructor(storage: ObjectStorage, model: Model, feedbacks: number) {
    this.#storage = storage;
    this.model = model;
    this.#feedbacks = feedbacks;
  }

  /** As it was after the last feedback that was kept. */
  static async open(storage: ObjectStorage, network = NETWORK): Promise<Learner> {
    const { model, feedbacks, learned, entries } = await readJournal(storage);
    const learner = new Learner(storage, model ? load(model) : sequential(network), feedbacks);
    for (const known of learned) learner.#remember(known);
    for (const entry of entries) {
      learner.#train(entry);
      learner.#note(entry);
    }
    return learner;
  }

  get feedbacks(): number {
    return this.#feedbacks;
  }

  /** One step, once an id. Nothing is awaited before the writes have begun: the journal's order is the model's.
   *  Errors: SHAPE, DATA, NUMERIC; model and journal are as before. */
  async learn(feedback: Feedback): Promise<Answer> {
    const known = feedback.id === undefined ? undefined : this.#answers.get(feedback.id);
    if (known) return known;
    const answer = this.#train(feedback);
    const entry = { ...feedback, ...answer };
    this.#note(entry);
    const learned = this.#learned;
    if (entry.feedback % CHECKPOINT_EVERY === 0) this.#learned = [];
    await write(this.#storage, entry, learned, () => this.model.save());
    return answer;
  }

  #train({ x, y }: Feedback): Answer {
    const loss = this.model.trainBatch(x, y);
    this.#feedbacks++;
    return { feedback: this.#feedbacks, loss };
  }

  #note({ id, feedback, loss }: Learned): void {
    this.#learned.push({ id, feedback, loss });
    this.#remember({ id, feedback, loss });
  }

  #remember({ id, feedback, loss }: Learned): void {
    if (id === undefined) return;
    this.#answers.set(id, { feedback, loss });
    if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value as string);
  }
}
