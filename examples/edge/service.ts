// The Worker in workerd, as the network runs it, with its storage in a folder.
import { startWorker } from "../../test/runtimes/hosts/workerd.mjs";

export interface Service {
  readonly url: URL;
  /** Takes the object out of memory, as the platform does when it likes to. */
  evict(): Promise<void>;
  /** Kills the process and starts another on the same storage. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Places {
  /** Has miniflare in its node_modules. */
  readonly miniflare: string;
  /** The bundled Worker. */
  readonly worker: string;
  /** Has the kernels' wasm files. */
  readonly wasm: string;
  readonly storage: string;
}

export async function serve({ miniflare, worker, wasm, storage }: Places, port = 0): Promise<Service> {
  const options = {
    host: "127.0.0.1",
    name: "edge",
    durableObjects: { CLASSIFIER: { className: "Classifier", useSQLite: true } },
    durableObjectsPersist: storage,
  };
  let running = startWorker(miniflare, worker, wasm, { ...options, port });
  const url: URL = await running.ready;
  return {
    url,
    evict: () => running.unsafeEvictDurableObject("edge", "Classifier", { name: "digits" }),
    restart: async () => {
      await running.dispose();
      running = startWorker(miniflare, worker, wasm, { ...options, port: Number(url.port) });
      await running.ready;
    },
    stop: () => running.dispose(),
  };
}
