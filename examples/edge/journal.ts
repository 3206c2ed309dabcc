// What the object keeps in its storage: every feedback, and now and then the whole model. From the last model and the
// feedbacks after it the present one is trained again, to the same bits: a feedback costs one small write. Of feedbacks
// that the kept model has learned only ids and answers stay, so that an object that wakes reads little.

/** The part of a Durable Object's storage that is used. Writes without an `await` between them are one transaction. */
export interface ObjectStorage {
  get<T>(key: string): Promise<T | undefined>;
  put<T>(key: string, value: T): Promise<void>;
  /** At most 128 keys. */
  delete(keys: string[]): Promise<number>;
  list<T>(options: { prefix: string }): Promise<Map<string, T>>;
}

export interface Feedback {
  /** Chosen by the client: a feedback sent again because its answer was lost is not learned twice. */
  readonly id?: string | undefined;
  readonly x: Float32Array;
  readonly y: Int32Array;
}

export interface Answer {
  /** How many feedbacks the model has learned, this one included. */
  readonly feedback: number;
  /** Before the step. */
  readonly loss: number;
}

/** A feedback that may have to be learned again. */
export interface Entry extends Feedback, Answer {}

/** What stays of a feedback once its model is kept. */
export interface Learned extends Answer {
  readonly id?: string | undefined;
}

/** A whole model is written after so many feedbacks. */
export const CHECKPOINT_EVERY = 64;
/** Feedbacks that are kept, for their ids. */
export const KEPT = 1024;
/** A value may have 128 KiB where the storage is not SQLite, and its serialization adds some bytes. */
const CHUNK_BYTES = 64 * 1024;

interface Checkpoint {
  readonly feedbacks: number;
  readonly chunks: number;
}

export interface Journal {
  /** Undefined before the first checkpoint. */
  readonly model: Uint8Array | undefined;
  /** Feedbacks that `model` has learned. */
  readonly feedbacks: number;
  /** The newest of them, oldest first. */
  readonly learned: Learned[];
  /** Those after `model`, oldest first. */
  readonly entries: Entry[];
}

export async function readJournal(storage: ObjectStorage): Promise<Journal> {
  const kept = [...(await storage.list<Entry>({ prefix: "feedback:" })).values()];
  const checkpoint = await storage.get<Checkpoint>("checkpoint");
  if (!checkpoint) return { model: undefined, feedbacks: 0, learned: [], entries: kept };
  const { feedbacks } = checkpoint;
  const learned = kept.filter(({ feedback }) => feedback <= feedbacks);
  const entries = kept.filter(({ feedback }) => feedback > feedbacks);
  const reads = Array.from({ length: checkpoint.chunks }, (_, i) => storage.get<Uint8Array>(chunkKey(i)));
  return { model: joined(await Promise.all(reads)), feedbacks, learned, entries };
}

/** Keeps a feedback, and the model when its turn has come. All writes are begun before this returns, for they must be
 *  one transaction. `learned`: since the last model, this one included. */
export function write(
  storage: ObjectStorage,
  entry: Entry,
  learned: readonly Learned[],
  save: () => Uint8Array,
): Promise<unknown> {
  const writes: Promise<unknown>[] = [storage.put(entryKey(entry.feedback), entry)];
  if (entry.feedback % CHECKPOINT_EVERY === 0) {
    const chunks = cut(save());
    for (const [i, chunk] of chunks.entries()) writes.push(storage.put(chunkKey(i), chunk));
    const checkpoint: Checkpoint = { feedbacks: entry.feedback, chunks: chunks.length };
    writes.push(storage.put("checkpoint", checkpoint));
    for (const { id, feedback, loss } of learned) writes.push(storage.put(entryKey(feedback), { id, feedback, loss }));
    // All that have become too old since the checkpoint before.
    const oldest = entry.feedback - KEPT;
    if (oldest > 0)
      writes.push(storage.delete(Array.from({ length: CHECKPOINT_EVERY }, (_, i) => entryKey(oldest - i))));
  }
  return Promise.all(writes);
}

/** In the order of numbers, which is that of the keys. */
function entryKey(feedback: number): string {
  return `feedback:${String(feedback).padStart(15, "0")}`;
}

function chunkKey(index: number): string {
  return `model:${index}`;
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  // Copies, for a view may be stored with the whole buffer behind it.
  return Array.from({ length: count }, (_, i) => bytes.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

/** Errors: when a chunk is not there; no model is better than half a one. */
function joined(chunks: readonly (Uint8Array | undefined)[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + (chunk?.length ?? 0), 0));
  let at = 0;
  for (const [i, chunk] of chunks.entries()) {
    if (!chunk) throw new Error(`The storage has lost chunk ${i} of ${chunks.length} of the model.`);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
