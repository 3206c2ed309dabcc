// The Worker: all requests go to one object, which owns the model. `npx wrangler deploy` here puts it on the network.
import { type Classifier, refuse } from "./classifier.ts";

export { Classifier } from "./classifier.ts";

/** Enough for a feedback of 256 rows. */
const MOST_BYTES = 1 << 20;

interface Environment {
  readonly CLASSIFIER: {
    idFromName(name: string): unknown;
    get(id: unknown): Pick<Classifier, "fetch">;
  };
}

export default {
  async fetch(request: Request, { CLASSIFIER }: Environment): Promise<Response> {
    const length = Number(request.headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
    if (request.method === "POST" && !(length <= MOST_BYTES)) {
      return refuse(413, `Expected at most ${MOST_BYTES} bytes, and a Content-Length.`);
    }
    return CLASSIFIER.get(CLASSIFIER.idFromName("digits")).fetch(request);
  },
};
