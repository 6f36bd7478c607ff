/** A lot's last 24 hours, and what days of the same weekday were like. */
import { read } from "../client";
import { startOfDay, toInstant } from "../time";

export const STEP_S = 1800;
export const STEPS_A_DAY = 86_400 / STEP_S;
const WEEKS = 4;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

export interface Day {
  /** Free spaces in each step of the day, on average; null where nothing is known, or it is to come. */
  today: (number | null)[];
  /** The same of the day before, from the present on: with today's they are the last 24 hours. */
  before: (number | null)[];
  /** The least and the most of the same step in the weeks before; null where nothing is known. */
  usual: ({ low: number; high: number } | null)[];
}

/**
 * Ask for the 24 hours before an instant, and the same weekday of four weeks before.
 *
 * @returns null where it cannot be had
 */
export async function dayOf(
  lotId: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<Day | null> {
  const start = startOfDay(nowMs);
  const starts = Array.from({ length: WEEKS + 1 }, (_, week) => start - week * WEEK_MS);
  const days = await Promise.all(
    [...starts, start - DAY_MS].map((each) => oneDay(lotId, each, signal)),
  );
  const yesterday = days.pop();
  const [today, ...weeks] = days;
  if (today === undefined || today === null) return null;
  const usual = today.map((_, step) => {
    const known = weeks.map((day) => day?.[step] ?? null).filter((free) => free !== null);
    return known.length === 0 ? null : { low: Math.min(...known), high: Math.max(...known) };
  });
  const present = Math.floor((nowMs - start) / 1000 / STEP_S);
  const before = today.map((_, step) => (step > present ? (yesterday?.[step] ?? null) : null));
  return { today, before, usual };
}

async function oneDay(
  lotId: string,
  start: number,
  signal: AbortSignal,
): Promise<(number | null)[] | null> {
  const query = {
    from: toInstant(start),
    to: toInstant(start + DAY_MS),
    step: STEP_S,
  };
  const path = { lot_id: lotId };
  const answer = await read("/v1/lots/{lot_id}/occupancy", { path, query }, signal);
  if (!answer.ok) return null;
  const free: (number | null)[] = Array.from({ length: STEPS_A_DAY }, () => null);
  for (const item of answer.value.items) {
    const step = Math.floor((Date.parse(item.at) - start) / 1000 / STEP_S);
    if (step >= 0 && step < STEPS_A_DAY) free[step] = item.free_spaces;
  }
  return free;
}
