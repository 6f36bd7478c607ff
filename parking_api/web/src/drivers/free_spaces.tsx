import type { City, Present } from "../city";
import { useWords } from "../language";

/** The free spaces of a lot, large; or a dash, and why. */
export function FreeSpaces({ state, city, now }: { state: Present; city: City; now: number }) {
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
