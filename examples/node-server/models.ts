// Models to serve, and what they must answer.
import { adam, dense, sequential } from "simdgrad";
import { load } from "simdgrad/infer";
import type { Samples } from "../digits/digits.ts";
import type { Prediction } from "./app.ts";

/** A file of weights: the state of training is not served. */
export async function trainDigits(train: Samples, epochs: number): Promise<Uint8Array> {
  const model = sequential({
    input: 64,
    layers: [dense(128, { activation: "relu" }), dense(10, { activation: "softmax" })],
    loss: "cross-entropy",
    optimizer: adam(),
    seed: 1,
  });
  await model.fit(train, { epochs });
  return model.save({ state: false });
}

/** To each question, a row of pixels. */
export function answersOf(file: Uint8Array, questions: readonly Float32Array[]): Float32Array[] {
  const predictor = load(file);
  return questions.map((question) => predictor.predict(question));
}

/** Whether this is, bit for bit, what the model that it names answers to that question. */
export function isRight(
  { model, outputs }: Prediction,
  answers: ReadonlyMap<string, readonly Float32Array[]>,
  question: number,
): boolean {
  const expected = answers.get(model)?.[question];
  return outputs.length === 1 && outputs[0].length === 10 && outputs[0].every((value, j) => value === expected?.[j]);
}
