// The loss: each person's thing must be nearer than the other things of the batch, and the other way round.
// Source: Radford et al. 2021 (CLIP), figure 3, at a fixed temperature.
import { activation, sequential } from "simdgrad";
import { dots, type Matrix, normalize, transposed } from "./matrix.ts";

/** One over the temperature: what a cosine of 1 is worth before the softmax. */
const SHARPNESS = 10;

export interface Contrast {
  readonly loss: number;
  /** Gradients of the loss by the embeddings, shaped as they are. */
  readonly dPeople: Matrix;
  readonly dThings: Matrix;
}

/** The loss of batches of so many pairs, which takes both sides' embeddings. Its softmax is a network without
 *  parameters: the library's exponential is the same on every engine, Math.exp is not. */
export function contrastOf(rows: number): (people: Matrix, things: Matrix) => Contrast {
  const softmax = sequential({ input: rows, layers: [activation("softmax")], maxBatch: rows });
  return (people, things) => {
    const width = people.length / rows;
    const [p, t] = [normalize(people, width), normalize(things, width)];
    const scores = dots(p.rows, t.rows, width).map((cosine) => SHARPNESS * cosine);
    const thingOf = softmax.predict(scores);
    const personOf = transposed(softmax.predict(transposed(scores, rows)), rows);

    let loss = 0;
    for (let at = 0; at < scores.length; at += rows + 1) loss -= Math.log(thingOf[at] * personOf[at]) / (2 * rows);
    const dCosines = scores.map((_, at) => {
      const right = at % (rows + 1) === 0 ? 2 : 0;
      return (SHARPNESS * (thingOf[at] + personOf[at] - right)) / (2 * rows);
    });
    return {
      loss,
      dPeople: p.backward(dots(dCosines, transposed(t.rows, width), rows)),
      dThings: t.backward(dots(transposed(dCosines, rows), transposed(p.rows, width), rows)),
    };
  };
}
