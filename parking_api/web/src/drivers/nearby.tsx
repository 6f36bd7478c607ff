/** The nearest lots with a free space: free spaces with their age, the walk, the price of the stay. */
import { useEffect, useState } from "preact/hooks";
import { lookOf, type Box, type City, type Registered } from "../city";
import { read, type Shapes } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { useNow, useStore } from "../store";
import { clock, toInstant } from "../time";
import { ask, asked, type Asked, type Place } from "./asking";
import { FreeSpaces } from "./free_spaces";
import { Skeleton } from "./whole_city";

type NearestLot = Shapes["NearestLot"];

const RADIUS_M = 2_000;
const WIDE_M = 20_000;
const MOST = 20;
/** The list is asked for anew: others may have come to have a free space. */
const AGAIN_MS = 20_000;
/** On foot one takes a way that is longer than the straight line, at some 4.5 km/h. */
const WAY = 1.3;
const METRES_A_MINUTE = 75;

type State =
  | { is: "loading" }
  | { is: "failed"; problem: string | null }
  | { is: "there"; lots: NearestLot[]; minutes: number; isWide: boolean; degraded: boolean };
/** What was asked from where, and the last answer; what could not be asked again for since. */
interface Asking {
  place: Place;
  state: State;
  problem?: string | null;
}

export function Nearby({ city, place }: { city: City; place: Place }) {
  const words = useWords();
  const { t, name } = words;
  const { arrival, minutes } = useStore(asked);
  const [last, setLast] = useState<Asking>({ place, state: { is: "loading" } });
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    // Another question ends it, and takes its place.
    const look = async (signal: AbortSignal): Promise<void> => {
      const state = await nearest(place, { arrival, minutes }, signal);
      setLast((before) =>
        // What is known of here is better than nothing.
        state.is === "failed" && before.place === place && before.state.is === "there"
          ? { ...before, problem: state.problem }
          : { place, state },
      );
    };
    return repeated(look, AGAIN_MS);
  }, [place, arrival, minutes, turn]);

  // Lots of another place are none of this one.
  const state: State = last.place === place ? last.state : { is: "loading" };
  const box = useStore(city.box);
  const isOutside = box !== null && !contains(box, place);
  const where =
    place.name !== null ? name(place.name) : place.kind === "mine" ? t.myPlace : t.thisPoint;
  return (
    <div class="nearby">
      <div class="headline">
        <h2>{t.near(where)}</h2>
        <Back
          onBack={() => {
            ask({ place: null });
          }}
        />
      </div>
      {state.is === "loading" && <Skeleton label={t.loading} />}
      {state.is === "failed" && (
        <div role="alert">
          <p>{state.problem ?? t.failed}</p>
          <button
            class="chip"
            onClick={() => {
              setLast({ place, state: { is: "loading" } });
              setTurn(turn + 1);
            }}
          >
            {t.again}
          </button>
        </div>
      )}
      {state.is === "there" && (
        <>
          {last.problem !== undefined && <p role="alert">{last.problem ?? t.failed}</p>}
          {state.degraded && <p class="soft">{t.degraded}</p>}
          {state.isWide && (
            <p role="status">
              {isOutside
                ? t.outside
                : state.lots.length > 0
                  ? `${t.none(RADIUS_M)} · ${t.nearestIs}`
                  : t.noneAtAll(WIDE_M)}
            </p>
          )}
          <ol class="rows" aria-label={t.list}>
            {state.lots.map((lot) => (
              <Row key={lot.lot_id} lot={lot} city={city} minutes={state.minutes} />
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

function contains([west, south, east, north]: Box, { lon, lat }: Place): boolean {
  return lon >= west && lon <= east && lat >= south && lat <= north;
}

export function Back({ onBack }: { onBack: () => void }) {
  const { t } = useWords();
  return (
    <button class="icon" aria-label={t.back} title={t.back} onClick={onBack}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 6l12 12M18 6L6 18" />
      </svg>
    </button>
  );
}

function Row({ lot, city, minutes }: { lot: NearestLot; city: City; minutes: number }) {
  const { t, name, money, number, locale } = useWords();
  const now = useNow(1_000);
  // The stream may tell of it sooner than the list, or be gone.
  useStore(city.lots);
  const state = city.present(lot.lot_id, lot, now);
  const registered = useStore(city.registered).get(lot.lot_id);
  const walk = Math.max(1, Math.round((lot.distance_m * WAY) / METRES_A_MINUTE));
  return (
    <li>
      <button
        class="row"
        onClick={() => {
          ask({ lotId: lot.lot_id });
        }}
      >
        <i class={`mark ${lookOf(state)}`} aria-hidden="true" />
        <span class="name">{name(lot.name)}</span>
        <FreeSpaces state={state} city={city} now={now} />
        <span class="soft walk">{t.walk(walk, lot.distance_m)}</span>
        <span class="line">
          <span class="price">
            {lot.quote === null
              ? t.noPrice
              : t.price(minutes, money(lot.quote.total_minor, lot.quote.currency))}
            {lot.closes_at != null && (
              <em> · {t.closesAt(clock(Date.parse(lot.closes_at), locale))}</em>
            )}
          </span>
          <span class="soft age">
            {t.freeOf(number(state.capacity))}
            {state.observed_at !== null && <> · {t.age(city.age(state.observed_at, now))}</>}
          </span>
        </span>
        {registered !== undefined && <Marks of={registered} />}
      </button>
    </li>
  );
}

/** What must fit, and what there is: height, chargers, bays for people who need room. */
function Marks({ of }: { of: Registered }) {
  const { t, number } = useWords();
  const marks: string[] = [];
  if (of.heightLimitM !== null) marks.push(t.maxHeight(String(of.heightLimitM)));
  if (of.chargers) marks.push(t.chargers(number(of.chargers)));
  if (of.accessible) marks.push(t.accessible(number(of.accessible)));
  if (marks.length === 0) return null;
  return <span class="soft marks">{marks.join(" · ")}</span>;
}

async function nearest(
  place: Place,
  { arrival, minutes }: Pick<Asked, "arrival" | "minutes">,
  signal: AbortSignal,
): Promise<State> {
  const question = {
    // A metre: nobody needs to know more of where somebody is.
    lon: Number(place.lon.toFixed(5)),
    lat: Number(place.lat.toFixed(5)),
    duration_min: minutes,
    ...(arrival === null ? {} : { at: toInstant(arrival) }),
  };
  const get = (limit: number, radius_m: number) =>
    read("/v1/nearest", { query: { ...question, limit, radius_m } }, signal);
  let answer = await get(MOST, RADIUS_M);
  const isWide = answer.ok && "lots" in answer.value && answer.value.lots.length === 0;
  if (isWide) answer = await get(1, WIDE_M);
  if (!answer.ok) return { is: "failed", problem: answer.problem };
  if (!("lots" in answer.value)) return { is: "failed", problem: null };
  const { lots, degraded } = answer.value;
  return { is: "there", lots, minutes, isWide, degraded };
}
