import type { City, LotState } from "../city";
import { useWords } from "../language";

/** A state as lots have it in every answer. */
export type Shown = Pick<
  LotState,
  "status" | "data_state" | "free_spaces" | "capacity" | "observed_at"
>;

/** The free spaces of a lot, large; or a dash, and why. */
export function FreeSpaces({ state, city, now }: { state: Shown; city: City; now: number }) {
  const { t, number } = useWords();
  if (state.status === "closed") return <Figure value="–" of={t.closed} />;
  if (state.free_spaces === null) {
    const age = state.observed_at === null ? null : city.age(state.observed_at, now);
    return <Figure value="–" of={age === null ? t.never : t.tooOld(age)} />;
  }
  const of = state.status === "full" ? t.full : t.free;
  return <Figure value={number(state.free_spaces)} of={of} />;
}

function Figure({ value, of }: { value: string; of: string }) {
  return (
    <span class="figure">
      <b>{value}</b> <small>{of}</small>
    </span>
  );
}
