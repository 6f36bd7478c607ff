/** Who is signed in. The key is kept nowhere, the token in the memory of this page alone. */
import { exchange, read, show, type Shapes, type Told } from "../client";
import { Store } from "../store";

export interface Session {
  me: Shapes["Myself"];
  /** By the platform's clock, ms. */
  endsAt: number;
}

export const session = new Store<Session | null>(null);
/** When the last session ended by itself; null where none has. */
export const endedAt = new Store<number | null>(null);

const UNAUTHENTICATED = 401;

/**
 * Begin a session, or go on with the one there is.
 *
 * @returns what was wrong with the key, null where nothing could be heard; undefined where it is good
 */
export async function signIn(key: string): Promise<string | null | undefined> {
  const made = await exchange(key);
  if (!made.ok) return made.problem;
  show(made.value.token);
  const me = await read("/v1/people/me", {});
  if (!me.ok) {
    show(null);
    return me.problem;
  }
  endedAt.set(null);
  session.set({ me: me.value, endsAt: Date.parse(made.value.expires_at) });
  return undefined;
}

export function signOut(): void {
  show(null);
  session.set(null);
}

/** Pass an answer on; where it says that the token is good no more, the session is over. */
export function heard<T>(answer: Told<T>): Told<T> {
  if (!answer.ok && answer.status === UNAUTHENTICATED && session.value !== null) {
    endedAt.set(session.value.endsAt);
    signOut();
  }
  return answer;
}
