// The Durable Object: HTTP around a learner.
import { SimdgradError } from "simdgrad";
import type { ObjectStorage } from "./journal.ts";
import { Learner } from "./learner.ts";
import { readFeedback, readImages } from "./requests.ts";

/** What the platform hands to an object. */
interface ObjectState {
  readonly storage: ObjectStorage;
  /** No request arrives before this is done. */
  blockConcurrencyWhile(work: () => Promise<void>): void;
}

export class Classifier {
  #learner!: Learner;

  constructor(state: ObjectState) {
    state.blockConcurrencyWhile(async () => {
      this.#learner = await Learner.open(state.storage);
    });
  }

  /** POST /predict { x }, POST /feedback { x, y, id? }, GET /model. The platform holds answers back until the writes
   *  before them are on disk, and starts the object anew from its storage if one fails. */
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      switch (`${request.method} ${pathname}`) {
        case "POST /predict":
          return Response.json(this.#predict(await readJson(request)));
        case "POST /feedback":
          return Response.json(await this.#learner.learn(readFeedback(await readJson(request))));
        case "GET /model":
          return this.#download();
        default:
          return refuse(404, "Expected POST /predict, POST /feedback or GET /model.");
      }
    } catch (error) {
      if (error instanceof SimdgradError && /SHAPE|DATA|NUMERIC/.test(error.code)) return refuse(400, error.message);
      throw error;
    }
  }

  #predict(body: unknown) {
    const { model } = this.#learner;
    const x = readImages(body);
    const probabilities = model.predict(x);
    const classes = model.predictClasses(x);
    return Array.from(classes, (digit, i) => ({ digit, probability: probabilities[10 * i + digit] }));
  }

  #download(): Response {
    const headers = { "Content-Type": "application/octet-stream", "X-Feedbacks": String(this.#learner.feedbacks) };
    return new Response(this.#learner.model.save() as Uint8Array<ArrayBuffer>, { headers });
  }
}

/** Errors: DATA. */
async function readJson(request: Request): Promise<unknown> {
  try {
    return JSON.parse(await request.text());
  } catch (error) {
    throw new SimdgradError("DATA", `Expected JSON: ${(error as Error).message}.`);
  }
}

export function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
