/**
 * Reads `/v1/stream` for as long as the page is open, and connects again by itself.
 *
 * `EventSource` tells nobody of the comments that come while nothing changes, and gives up for good
 * where too many read; so this reads the answer itself.
 */
import type { Shapes } from "./client";

type LotStates = Shapes["LotStates"];
type LotState = Shapes["LotState"];
export type StateColumns = Shapes["StateColumns"];

export interface Heard {
  lots?: (all: LotStates) => void;
  lot?: (one: LotState) => void;
  /** Where columns were asked for (`f=columns`): instead of the others. */
  states?: (columns: StateColumns) => void;
  /** Something came, if only a sign of life. Gets the platform's time once a connection, in ms. */
  alive: (platformMs: number | null) => void;
  /** The connection is gone. */
  gone: () => void;
}

/** Whoever has heard nothing for so long connects again. */
export const SILENT_MS = 30_000;
const LEAST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 30_000;

/**
 * Follow lots until the signal.
 *
 * @param which - the query of `/v1/stream`, such as `{ bbox: "120,36,121,37" }`
 */
export async function follow(
  which: Record<string, string>,
  heard: Heard,
  end: AbortSignal,
): Promise<void> {
  const address = `/v1/stream?${new URLSearchParams(which).toString()}`;
  let wait = LEAST_WAIT_MS;
  while (!end.aborted) {
    const began = Date.now();
    try {
      await read(address, heard, end);
    } catch {
      // The network, or the server, is away: all the same from here.
    }
    heard.gone();
    // One that has lasted was no failure.
    wait = Date.now() - began > MOST_WAIT_MS ? LEAST_WAIT_MS : Math.min(2 * wait, MOST_WAIT_MS);
    await pause(wait * (0.5 + Math.random() / 2), end);
    if (!navigator.onLine) await online(end);
  }
}

async function read(address: string, heard: Heard, end: AbortSignal): Promise<void> {
  const silent = new AbortController();
  const lost = (): void => {
    silent.abort();
  };
  // A connection of a device that has left its network is silent, and nothing else.
  addEventListener("offline", lost);
  try {
    await hear(address, heard, AbortSignal.any([end, silent.signal]), lost);
  } finally {
    removeEventListener("offline", lost);
  }
}

async function hear(
  address: string,
  heard: Heard,
  signal: AbortSignal,
  onSilence: () => void,
): Promise<void> {
  const answer = await fetch(address, { signal, headers: { Accept: "text/event-stream" } });
  if (!answer.ok || answer.body === null) throw new Error(`status ${answer.status}`);
  const date = Date.parse(answer.headers.get("date") ?? "");
  heard.alive(Number.isNaN(date) ? null : date);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const timer = setTimeout(onSilence, SILENT_MS);
    const { value, done } = await reader.read().finally(() => {
      clearTimeout(timer);
    });
    if (done) return;
    heard.alive(null);
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) tell(event, heard);
  }
}

function tell(event: string, heard: Heard): void {
  let name = "";
  let data = "";
  for (const line of event.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice("event: ".length);
    if (line.startsWith("data: ")) data = line.slice("data: ".length);
  }
  if (name === "lots") heard.lots?.(JSON.parse(data) as LotStates);
  if (name === "lot") heard.lot?.(JSON.parse(data) as LotState);
  if (name === "states") heard.states?.(JSON.parse(data) as StateColumns);
}

function pause(ms: number, end: AbortSignal): Promise<void> {
  return until(end, (done) => {
    const timer = setTimeout(done, ms);
    return () => {
      clearTimeout(timer);
    };
  });
}

function online(end: AbortSignal): Promise<void> {
  return until(end, (done) => {
    addEventListener("online", done);
    return () => {
      removeEventListener("online", done);
    };
  });
}

/** Wait for something, or the signal; nothing of the waiting is left behind. */
function until(end: AbortSignal, wait: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      end.removeEventListener("abort", done);
      resolve();
    };
    const stop = wait(done);
    end.addEventListener("abort", done);
  });
}
