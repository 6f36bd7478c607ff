/** The API's reads, typed by its own OpenAPI document; the pages ask nothing else. */
import type { components, paths } from "./generated/api";
import { language } from "./language";

export type Shapes = components["schemas"];

interface Read {
  parameters: { path?: object; query?: object };
  responses: { 200: { content: object } };
}
type Reads = {
  [P in keyof paths as paths[P] extends { get: Read } ? P : never]: paths[P] extends {
    get: infer R extends Read;
  }
    ? R
    : never;
};
/** What is asked of a path: what stands in it, and its query. */
export type Question<P extends keyof Reads> = {
  [
    K in "path" | "query" as undefined extends Reads[P]["parameters"][K] ? never : K
  ]: Reads[P]["parameters"][K];
} & { query?: Reads[P]["parameters"]["query"] };
export type Answer<P extends keyof Reads> =
  Reads[P]["responses"][200]["content"][keyof Reads[P]["responses"][200]["content"]];

/** What an answer was: the thing, or a problem in words (nulls where nothing was heard at all). */
export type Told<T> =
  { ok: true; value: T } | { ok: false; problem: string | null; status: number | null };

/**
 * Ask, and wait for the answer.
 *
 * @param path - as the OpenAPI document has it, such as `/v1/lots/{lot_id}`
 * @param question - what stands in the path, and the query; what is undefined is left out
 * @param signal - takes the question back
 * @throws AbortError where it was taken back
 */
export async function read<P extends keyof Reads>(
  path: P,
  question: Question<P>,
  signal?: AbortSignal,
): Promise<Told<Answer<P>>> {
  const { path: parts = {}, query = {} } = question as { path?: object; query?: object };
  const values = new Map<string, unknown>(Object.entries(parts));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values.get(name))),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  const address = search.size > 0 ? `${filled}?${search.toString()}` : filled;
  return answered<Answer<P>>(address, {}, signal);
}

/** Ask for the itemised price of a stay; see `read`. */
export async function quote(
  ask: Pick<Shapes["QuoteAsk"], "lot_id" | "entry" | "exit">,
  signal?: AbortSignal,
): Promise<Told<Shapes["FullQuote"]>> {
  const headers = { "Content-Type": "application/json" };
  return answered("/v1/quotes", { method: "POST", body: JSON.stringify(ask), headers }, signal);
}

/** Whoever has waited so long for an answer gets none: the page says so, and asks again. */
const LONGEST_MS = 20_000;

let bearer: string | null = null;

/** Send this token with every question from here on, or none; it is kept nowhere else. */
export function show(token: string | null): void {
  bearer = token;
}

/** Turn a key, which is kept nowhere, into a token. */
export function exchange(key: string): Promise<Told<Shapes["Token"]>> {
  const headers = { Authorization: `Bearer ${key}` };
  return answered("/v1/tokens", { method: "POST", headers }, undefined);
}

async function answered<T>(
  address: string,
  request: { method?: string; body?: string; headers?: Record<string, string> },
  signal: AbortSignal | undefined,
): Promise<Told<T>> {
  try {
    // Problems come in the language that the page is in.
    const headers = {
      ...(bearer === null ? {} : { Authorization: `Bearer ${bearer}` }),
      ...request.headers,
      "Accept-Language": language.value,
    };
    const tooLong = AbortSignal.timeout(LONGEST_MS);
    const until = signal ? AbortSignal.any([signal, tooLong]) : tooLong;
    const answer = await fetch(address, { ...request, headers, signal: until });
    const body: unknown = await answer.json();
    if (answer.ok) return { ok: true, value: body as T };
    const { detail = null } = body as Partial<Shapes["Problem"]>;
    return { ok: false, problem: detail, status: answer.status };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { ok: false, problem: null, status: null };
  }
}
