/** One lot: free now, the price of the stay, what a driver must know, and the way there. */
import { useEffect, useState } from "preact/hooks";
import type { City } from "../city";
import { read, type Shapes, type Told } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { useNow, useStore } from "../store";
import { dayAndClock, toInstant } from "../time";
import { ask, asked } from "./asking";
import type { Bays } from "./bays";
import { FreeSpaces } from "./free_spaces";
import { Back } from "./nearby";
import { PriceDetails } from "./price_details";
import { ShareButton } from "./share";
import { TariffInWords } from "./tariff";
import { Today } from "./today";
import { Skeleton } from "./whole_city";
import { mapLinks } from "./ways";

type Lot = Shapes["LotAnswer"];

const AGAIN_MS = 30_000;
const SERVER_ERROR = 500;

export function LotSheet({ city, bays, lotId }: { city: City; bays: Bays; lotId: string }) {
  const { t } = useWords();
  const { arrival, minutes } = useStore(asked);
  const [answer, setAnswer] = useState<Told<Lot> | null>(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const query = {
      duration_min: minutes,
      ...(arrival === null ? {} : { at: toInstant(arrival) }),
    };
    // "Now" goes on, and so do prices and closing times.
    return repeated(async (signal) => {
      const told = await read("/v1/lots/{lot_id}", { path: { lot_id: lotId }, query }, signal);
      // What is known of it is better than no answer.
      setAnswer((before) => (isNoAnswer(told) && before?.ok === true ? before : told));
    }, AGAIN_MS);
  }, [lotId, arrival, minutes, turn]);

  if (answer === null) return <Skeleton label={t.loading} />;
  if (!answer.ok) {
    return (
      <>
        <div class="headline" role="alert">
          <p>{answer.problem ?? t.failed}</p>
          <BackToList />
        </div>
        {isNoAnswer(answer) && (
          <button
            class="chip"
            onClick={() => {
              setAnswer(null);
              setTurn(turn + 1);
            }}
          >
            {t.again}
          </button>
        )}
      </>
    );
  }
  return <Facts lot={answer.value} city={city} bays={bays} />;
}

/** Whether another time may tell more: the platform was not reached, or is in trouble. */
function isNoAnswer(told: Told<Lot>): boolean {
  return !told.ok && (told.status === null || told.status >= SERVER_ERROR);
}

function BackToList() {
  return (
    <Back
      onBack={() => {
        ask({ lotId: null });
      }}
    />
  );
}

function Facts({ lot, city, bays }: { lot: Lot; city: City; bays: Bays }) {
  const { t, name, number, money, locale } = useWords();
  const now = useNow(1_000);
  const version = useStore(city.lots).get(lot.lot_id)?.version ?? null;
  const state = city.present(lot.lot_id, lot, now);
  const registered = useStore(city.registered).get(lot.lot_id);
  const { quote } = lot;
  return (
    <article class="lot">
      <div class="headline">
        <h2>{name(lot.name)}</h2>
        <BackToList />
      </div>
      <p class="large">
        <FreeSpaces state={state} city={city} now={now} />{" "}
        <span class="soft">
          {t.freeOf(number(state.capacity))}
          {state.observed_at !== null && <> · {t.age(city.age(state.observed_at, now))}</>}
        </span>
      </p>
      {state.status === "closed" && state.closed_until != null && (
        <p>
          {t.closedUntil(dayAndClock(Date.parse(state.closed_until), now, locale))}
          {state.closed_reason != null && <> · {state.closed_reason}</>}
        </p>
      )}
      <p class="price">
        {quote === null
          ? t.noPrice
          : t.price(lot.stay.duration_min, money(quote.total_minor, quote.currency))}
      </p>
      <Ways lot={lot} />
      {lot.reporting === "bays" && <Levels lotId={lot.lot_id} version={version} bays={bays} />}
      {quote !== null && <TariffInWords tariffId={quote.tariff_id} version={quote.version} />}
      <PriceDetails lot={lot} />
      <ul class="facts">
        <li>{t.types[lot.lot_type]}</li>
        <li>
          {t.hours}{" "}
          {lot.opening_hours === null
            ? t.allDay
            : `${lot.opening_hours.opens_at}–${lot.opening_hours.closes_at}`}
        </li>
        {lot.height_limit_m !== null && <li>{t.maxHeight(String(lot.height_limit_m))}</li>}
        {registered?.chargers ? <li>{t.chargers(number(registered.chargers))}</li> : null}
        {registered?.accessible ? <li>{t.accessible(number(registered.accessible))}</li> : null}
        {lot.closes_at != null && (
          <li>{t.closesAt(dayAndClock(Date.parse(lot.closes_at), now, locale))}</li>
        )}
      </ul>
      <Today lotId={lot.lot_id} capacity={state.capacity} />
      <ShareButton />
    </article>
  );
}

/** Free bays of each level; the one that is chosen is the one on the map. */
function Levels({ lotId, version, bays }: { lotId: string; version: string | null; bays: Bays }) {
  const { t, number } = useWords();
  const known = useStore(bays.known).get(lotId);
  useStore(bays.levels);
  useEffect(() => {
    void bays.look([lotId]);
  }, [bays, lotId, version]);
  const levels = bays.levelsOf(lotId);
  if (known === undefined || levels.length < 2) return null;
  return (
    <div class="ways" role="group" aria-label={t.levels}>
      {levels.map((level) => {
        const free = known.bays.filter((bay) => bay.level === level && bay.state === "free");
        return (
          <button
            key={level}
            class="chip"
            aria-pressed={level === bays.levelOf(lotId)}
            onClick={() => {
              bays.show(lotId, level);
            }}
          >
            {t.level(level)} · {t.freeIs(number(free.length))}
          </button>
        );
      })}
    </div>
  );
}

/** Links that map apps take, each with the place in its own coordinates. */
function Ways({ lot }: { lot: Lot }) {
  const { t, name } = useWords();
  return (
    <nav class="ways" aria-label={t.navigate}>
      <span class="soft" aria-hidden="true">
        {t.navigate}
      </span>
      {mapLinks(name(lot.name), lot.location.coordinates).map(({ app, address }) => (
        <a key={app} class="chip" href={address} target="_blank" rel="noreferrer">
          {t.maps[app]}
        </a>
      ))}
    </nav>
  );
}
