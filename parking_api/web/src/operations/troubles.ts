/** What is wrong, as feeds and refused messages say, asked for anew while somebody is signed in. */
import { read, type Shapes } from "../client";
import { repeated } from "../repeated";
import { Store } from "../store";
import { heard, session } from "./session";

export type Feed = Shapes["Feed"];
export type Letter = Shapes["DeadLetter"];
type Operator = Shapes["OperatorAnswer"];

export interface Troubles {
  feeds: Feed[];
  letters: Letter[];
  operators: ReadonlyMap<string, Operator>;
  /** When it was asked for, by this device's clock, ms. */
  at: number;
}

export const troubles = new Store<Troubles | null>(null);
/** Why they could not be asked for the last time; undefined where they could. */
export const problem = new Store<string | null | undefined>(undefined);

const EVERY_MS = 5_000;
const A_PAGE = 1_000;
const LETTERS = 100;

/** Ask at intervals, beginning now, until what this returns is called. */
export function follow(): () => void {
  return repeated(ask, EVERY_MS);
}

async function ask(signal: AbortSignal): Promise<void> {
  const at = Date.now();
  const operators = heard(await read("/v1/operators", { query: { limit: A_PAGE } }, signal));
  const letters = heard(await read("/v1/dead-letters", { query: { limit: LETTERS } }, signal));
  const feeds: Feed[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { limit: A_PAGE, ...(cursor ? { cursor } : {}) };
    const page = heard(await read("/v1/feeds", { query }, signal));
    if (!page.ok) {
      problem.set(page.problem);
      return;
    }
    feeds.push(...page.value.items);
    const { next } = page.value;
    cursor = next == null ? null : new URL(next, location.href).searchParams.get("cursor");
  } while (cursor);
  if (!operators.ok || !letters.ok || session.value === null) {
    if (!operators.ok) problem.set(operators.problem);
    if (!letters.ok) problem.set(letters.problem);
    return;
  }
  problem.set(undefined);
  troubles.set({
    feeds,
    letters: letters.value.items,
    operators: new Map(operators.value.items.map((each) => [each.operator_id, each])),
    at,
  });
}

export function isWrong(feed: Feed): boolean {
  return feed.unknown > 0 || feed.stale > 0 || feed.dead_letters_24h > 0;
}

/** What hides most spaces; then most silent lots, old ones, refused messages; the oldest first. */
export function worstFirst(feeds: readonly Feed[]): Feed[] {
  const heardAt = ({ received_at: at }: Feed): number => (at === null ? 0 : Date.parse(at));
  return [...feeds].sort(
    (one, other) =>
      other.hidden_spaces - one.hidden_spaces ||
      other.unknown - one.unknown ||
      other.stale - one.stale ||
      other.dead_letters_24h - one.dead_letters_24h ||
      heardAt(one) - heardAt(other),
  );
}
