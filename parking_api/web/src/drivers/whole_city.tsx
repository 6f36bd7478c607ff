/** What the sheet says before anything is asked: the city's sums, from what the stream tells. */
import type { City } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";

export function WholeCity({ city }: { city: City }) {
  const { t, number } = useWords();
  const lots = useStore(city.lots);
  let free = 0;
  let capacity = 0;
  let unheard = 0;
  for (const lot of lots.values()) {
    // As the sums on the map: nobody parks where it is closed.
    if (lot.status !== "closed") free += lot.free_spaces ?? 0;
    capacity += lot.capacity;
    if (lot.free_spaces === null) unheard += 1;
  }
  if (lots.size === 0) return <Skeleton label={t.connecting} />;
  return (
    <div class="city">
      <h2>{t.citySpaces(number(free))}</h2>
      <p>
        {t.cityLots(number(lots.size), number(capacity))}
        {unheard > 0 && <> · {t.unheard(number(unheard))}</>}
      </p>
      <p class="how">{t.how}</p>
      <Legend />
    </div>
  );
}

function Legend() {
  const { t } = useWords();
  return (
    <ul class="legend" aria-label={t.legend}>
      {(["free", "filling", "full", "stale", "unknown", "closed"] as const).map((look) => (
        <li key={look}>
          <i class={`mark ${look === "stale" ? "stale-free" : look}`} aria-hidden="true" />
          {t.legends[look]}
        </li>
      ))}
    </ul>
  );
}

export function Skeleton({ label }: { label: string }) {
  return (
    <div class="skeleton" role="status">
      <p>{label}</p>
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <i aria-hidden="true" />
    </div>
  );
}
