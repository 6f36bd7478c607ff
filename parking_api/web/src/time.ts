/** Times as the city's clocks show them: prices and opening hours go by these. */

const ZONE = "Asia/Shanghai";
const OFFSET = "+08:00";
const OFFSET_MS = 8 * 3_600_000;

/** An instant as `<input type=datetime-local>` takes it. */
export function toControl(ms: number): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(0, 16);
}

/** The first and the last arrival that the API has prices for, as the control takes them. */
export const FIRST = "2000-01-01T00:00";
export const LAST = "2099-12-30T00:00";

/** What such a control says, in ms; null where it says nothing, or what no price can be had for. */
export function fromControl(value: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value) || value < FIRST || value > LAST) return null;
  const ms = Date.parse(`${value}:00${OFFSET}`);
  return Number.isNaN(ms) ? null : ms;
}

/** An instant as the API takes it. */
export function toInstant(ms: number): string {
  return `${toControl(ms)}:00${OFFSET}`;
}

export function clock(ms: number, locale: string, withSeconds = false): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone: ZONE,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(withSeconds ? { second: "2-digit" } : {}),
  }).format(ms);
}

/** The day and the time: the day left out where it is today's, the year where it is this one. */
export function dayAndClock(ms: number, nowMs: number, locale: string): string {
  if (startOfDay(ms) === startOfDay(nowMs)) return clock(ms, locale);
  const isThisYear = toControl(ms).slice(0, 4) === toControl(nowMs).slice(0, 4);
  const day = new Intl.DateTimeFormat(locale, {
    timeZone: ZONE,
    month: "short",
    day: "numeric",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
  return `${day.format(ms)} ${clock(ms, locale)}`;
}

const DAY_MS = 86_400_000;

/** When the day of an instant begins, ms. */
export function startOfDay(ms: number): number {
  return Math.floor((ms + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS;
}
