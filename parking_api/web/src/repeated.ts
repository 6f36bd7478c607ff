/** Asks again and again, until nobody waits for the answer any more. */

/**
 * Look at once, and then every so often; never again before the last look is over, so that a slow
 * platform is asked less, and no answer overtakes another.
 *
 * @param look Asks with the signal, which ends what is under way.
 * @param everyMs From the end of one look to the start of the next.
 * @returns What ends it.
 */
export function repeated(
  look: (signal: AbortSignal) => Promise<void>,
  everyMs: number,
): () => void {
  const end = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    // It was ended while it looked.
    await look(end.signal).catch(() => undefined);
    if (!end.signal.aborted) timer = setTimeout(() => void again(), everyMs);
  };
  void again();
  return () => {
    clearTimeout(timer);
    end.abort();
  };
}
