// The service: predictions from a model that can be exchanged while it serves.
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { load, type Predictor, SimdgradError } from "simdgrad/infer";

const MOST_REQUEST_BYTES = 1 << 20;
const MOST_MODEL_BYTES = 1 << 28;
/** What is the client's fault. */
const REFUSED = ["SHAPE", "DATA", "FORMAT", "CONFIG"];

export interface Prediction {
  /** Which model answered. */
  readonly model: string;
  /** The final activation of each row. */
  readonly outputs: number[][];
}

interface Served {
  readonly name: string;
  readonly predictor: Predictor;
  readonly input: number;
  readonly outputs: number;
}

/** POST /predict { x: rows }, GET /model, and for who has the token POST /model with the bytes of a saved model.
 *  Errors: FORMAT and others of load for the first model. */
export function createApp(file: Uint8Array, token: string): Hono {
  let served = open(file);
  const app = new Hono();

  app.post("/predict", bodyLimit({ maxSize: MOST_REQUEST_BYTES }), async (context) => {
    const x = readRows(await readJson(context.req.raw));
    // Nothing is awaited from here on: one model answers the whole request, whatever comes meanwhile.
    const { name, predictor, outputs } = served;
    return context.json({ model: name, outputs: rows(predictor.predict(x), outputs) } satisfies Prediction);
  });

  app.get("/model", (context) => context.json({ model: served.name, input: served.input, outputs: served.outputs }));

  app.post("/model", bearerAuth({ token }), bodyLimit({ maxSize: MOST_MODEL_BYTES }), async (context) => {
    const next = open(new Uint8Array(await context.req.arrayBuffer()));
    if (next.input !== served.input || next.outputs !== served.outputs) {
      const shape = ({ input, outputs }: Served) => `${input} inputs and ${outputs} outputs`;
      throw new SimdgradError("CONFIG", `Expected a model of ${shape(served)}, received one of ${shape(next)}.`);
    }
    const last = served;
    served = next;
    // No request is within the old one: each is computed in one go.
    last.predictor[Symbol.dispose]();
    return context.json({ model: next.name });
  });

  app.onError((error, context) => {
    if (error instanceof HTTPException) return unread(error.getResponse());
    if (error instanceof SimdgradError && REFUSED.includes(error.code))
      return context.json({ error: error.message }, 400);
    console.error(error);
    return context.json({ error: "The service failed." }, 500);
  });
  return app;
}

/** An answer before the body has come: the server then closes the connection, and the client has to know. */
function unread(response: Response): Response {
  const { status, statusText, headers, body } = response;
  return new Response(body, { status, statusText, headers: [...headers, ["Connection", "close"]] });
}

/** A model's name is a hash of its file. */
export function nameOf(file: Uint8Array): string {
  return createHash("sha256").update(file).digest("hex").slice(0, 16);
}

function open(file: Uint8Array): Served {
  const predictor = load(file);
  const { input } = predictor.spec;
  // It has also run once when it begins to serve.
  const outputs = predictor.predict(new Float32Array(input)).length;
  return { name: nameOf(file), predictor, input, outputs };
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (error) {
    throw new SimdgradError("DATA", `Expected JSON: ${(error as Error).message}.`);
  }
}

/** The rows' lengths and values are checked by `predict`. Errors: SHAPE. */
function readRows(body: unknown): number[][] {
  const { x } = (body ?? {}) as { x?: unknown };
  if (Array.isArray(x) && x.every(Array.isArray)) return x;
  throw new SimdgradError("SHAPE", "x: expected an array of rows.");
}

function rows(flat: Float32Array, columns: number): number[][] {
  return Array.from({ length: flat.length / columns }, (_, i) => [...flat.subarray(i * columns, (i + 1) * columns)]);
}
