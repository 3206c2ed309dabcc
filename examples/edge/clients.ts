// Clients that do not give up: what was not answered is sent again, with the same id.
import type { Samples } from "../digits/digits.ts";
import type { Answer } from "./journal.ts";
import { PIXELS } from "./learner.ts";

const TRIES = 200;
const PAUSE_MS = 50;

export interface Lesson {
  readonly id: string;
  readonly x: number[][];
  readonly y: number[];
}

export interface Learned extends Lesson {
  readonly answer: Answer;
  /** More than one when the service was away. */
  readonly tries: number;
}

/** So many lessons of one row each, from the samples in turn. */
export function lessonsOf({ rows, x, y }: Samples, count: number): Lesson[] {
  return Array.from({ length: count }, (_, i) => {
    const row = i % rows;
    return { id: `lesson-${i}`, x: [[...x.subarray(row * PIXELS, (row + 1) * PIXELS)]], y: [y[row]] };
  });
}

/** All lessons, each taught by whichever client is free. */
export async function teach(
  url: URL,
  lessons: readonly Lesson[],
  clients: number,
  onAnswer: (learned: Learned) => void | Promise<void>,
): Promise<Learned[]> {
  const rest = lessons.values();
  const all: Learned[] = [];
  const client = async () => {
    for (const lesson of rest) {
      const { body, tries } = await insist(new URL("/feedback", url), lesson);
      const learned = { ...lesson, answer: body as Answer, tries };
      all.push(learned);
      await onAnswer(learned);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return all;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export async function post(url: URL, body: unknown): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url, { method: "POST", body: text, signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.json() };
}

/** Errors: when the service refuses, or stays away. */
async function insist(url: URL, body: unknown): Promise<{ body: unknown; tries: number }> {
  let last: unknown;
  for (let tries = 1; tries <= TRIES; tries++) {
    const reply = await post(url, body).catch((error: unknown) => {
      last = error;
    });
    if (reply?.status === 200) return { body: reply.body, tries };
    if (reply && reply.status < 500) throw new Error(`${url}: status ${reply.status}, ${JSON.stringify(reply.body)}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`${url}: no answer to ${TRIES} tries.`, { cause: last });
}

/** Share of digits that are read rightly. */
export async function accuracy(url: URL, { rows, x, y }: Samples): Promise<number> {
  const images = Array.from({ length: rows }, (_, i) => [...x.subarray(i * PIXELS, (i + 1) * PIXELS)]);
  const { body } = await post(new URL("/predict", url), { x: images });
  return (body as { digit: number }[]).filter(({ digit }, i) => digit === y[i]).length / rows;
}
