/** A value that is looked at by many, and tells them when it has changed. */
import { useEffect, useState } from "preact/hooks";

export class Store<T> {
  #value: T;
  readonly #heard = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const hear of this.#heard) hear(value);
  }

  /** Call with each new value, until what this returns is called. */
  listen(hear: (value: T) => void): () => void {
    this.#heard.add(hear);
    return () => {
      this.#heard.delete(hear);
    };
  }
}

/** The present value of a store, in a component. */
export function useStore<T>(store: Store<T>): T {
  const [value, set] = useState(() => store.value);
  useEffect(() => {
    set(() => store.value);
    return store.listen((next) => {
      set(() => next);
    });
  }, [store]);
  return value;
}

/**
 * The time by this device's clock, in ms, anew at intervals.
 *
 * @param everyMs - how often
 */
export function useNow(everyMs: number): number {
  const [now, set] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      set(Date.now());
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return now;
}
