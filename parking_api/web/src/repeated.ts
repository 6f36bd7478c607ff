/** Asks again and again, until nobody waits for the answer any more. */

/**
 * Look at once, and then every so often.
 *
 * @param look Asks with the signal, which ends what is under way.
 * @param everyMs From the start of one look to the next.
 * @returns What ends it.
 */
export function repeated(
  look: (signal: AbortSignal) => Promise<void>,
  everyMs: number,
): () => void {
  const end = new AbortController();
  const again = (): void => {
    // It was ended while it looked.
    look(end.signal).catch(() => undefined);
  };
  again();
  const timer = setInterval(again, everyMs);
  return () => {
    clearInterval(timer);
    end.abort();
  };
}
