/** The two controls of the stay: when it begins, and how long it is. */
import { useWords } from "../language";
import { useNow, useStore } from "../store";
import { dayAndClock, FIRST, fromControl, LAST, toControl } from "../time";
import { ask, asked, LENGTHS } from "./asking";

/** Whoever has just arrived is no one of the past. */
const PAST_MS = 300_000;

export function StayControls() {
  const { t, locale } = useWords();
  const { arrival, minutes } = useStore(asked);
  const now = useNow(60_000);
  const time = arrival === null ? t.now : dayAndClock(arrival, now, locale);
  const isPast = arrival !== null && arrival < now - PAST_MS;
  return (
    <div class="chips">
      <button class="chip" popovertarget="arrival">
        {isPast ? t.arrivalWas(time) : t.arrivalIs(time)}
      </button>
      <button class="chip" popovertarget="length">
        {t.stayIs(t.length(minutes))}
      </button>
      <div id="arrival" class="choice" popover="auto" role="dialog" aria-label={t.arrival}>
        <button
          class="chip"
          aria-pressed={arrival === null}
          popovertarget="arrival"
          onClick={() => {
            ask({ arrival: null });
          }}
        >
          {t.now}
        </button>
        <input
          type="datetime-local"
          aria-label={t.arrival}
          min={FIRST}
          max={LAST}
          value={toControl(arrival ?? now)}
          onChange={(event) => {
            ask({ arrival: fromControl(event.currentTarget.value) });
          }}
        />
      </div>
      <div id="length" class="choice" popover="auto" role="dialog" aria-label={t.stay}>
        {LENGTHS.map((length) => (
          <button
            key={length}
            class="chip"
            aria-pressed={length === minutes}
            popovertarget="length"
            onClick={() => {
              ask({ minutes: length });
            }}
          >
            {t.length(length)}
          </button>
        ))}
      </div>
    </div>
  );
}
