/**
 * Large figures of the platform: those of operations with the curves of their last hour, as
 * `/v1/operations` has them, so that they are there when the page opens; those of the city for all.
 */
import { useEffect, useState } from "preact/hooks";
import type { City } from "../city";
import { read, type Shapes } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { useNow, useStore } from "../store";
import { condition, LATE_S, type Condition } from "./condition";
import { Curve, known } from "./curve";

const EVERY_MS = 5_000;
const UNKNOWN = "–";

export function Figures({ city }: { city: City }) {
  const told = useStore(condition);
  return told?.ok === true ? (
    <OfOperations city={city} now={told.value} />
  ) : (
    <OfTheCity city={city} />
  );
}

function OfOperations({ city, now }: { city: City; now: Condition }) {
  const { t, number } = useWords();
  const texts = t.operations;
  const age = useAge(city, now.as_of);
  const hour = now.last_hour;
  const restarts = known(hour.restarts);
  const again = restarts.reduce((sum, each) => sum + each, 0);
  const perSecond = now.observations_per_s;
  const observations = perSecond === null ? null : Math.round(perSecond);
  return (
    <dl class="figures">
      <Figure
        name={texts.age}
        value={age === null ? UNKNOWN : texts.seconds(age)}
        isBad={age !== null && age > LATE_S}
        hour={hour.commit_age_s}
        unit={texts.seconds}
      />
      <Figure
        name={texts.observations}
        value={observations === null ? UNKNOWN : number(observations)}
        isBad={observations === null || observations === 0}
        of={observations === null ? t.unknownNow : undefined}
        hour={hour.observations_per_s}
      />
      <Figure
        name={texts.live}
        value={number(now.lots_live)}
        of={texts.ofLots(number(now.lots))}
        hour={hour.lots_live}
      />
      <Figure
        name={texts.restartsHour}
        value={restarts.length === 0 ? UNKNOWN : number(again)}
        isBad={again > 0}
        of={now.programs === null ? texts.notTold : undefined}
        hour={hour.restarts}
        areCounts
      />
    </dl>
  );
}

function OfTheCity({ city }: { city: City }) {
  const { t, number } = useWords();
  const totals = useTotals();
  const age = useAge(city, totals?.as_of ?? null);
  const texts = t.operations;
  const of = totals === null ? undefined : texts.ofLots(number(totals.lots));
  const shown = (value: number | undefined): string =>
    value === undefined ? UNKNOWN : number(value);
  return (
    <dl class="figures">
      <Figure name={texts.age} value={age === null ? UNKNOWN : texts.seconds(age)} />
      <Figure name={texts.live} value={shown(totals?.live)} of={of} />
      <Figure
        name={texts.silentLots}
        value={shown(totals?.unknown)}
        of={of}
        isBad={totals !== null && totals.unknown > 0}
      />
    </dl>
  );
}

interface Figured {
  name: string;
  value: string;
  of?: string | undefined;
  isBad?: boolean;
  /** A value a minute; left out where there is none. */
  hour?: readonly (number | null)[];
  areCounts?: boolean;
  unit?: (value: number) => string;
}

function Figure({ name, value, of, isBad = false, hour, areCounts = false, unit }: Figured) {
  const { t, number } = useWords();
  const write = unit ?? ((each: number) => number(Math.round(each)));
  const values = known(hour ?? []);
  const [least, most] = [Math.min(...values), Math.max(...values)].map(write);
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd class={isBad ? "value bad" : "value"}>
        {value} {of !== undefined && <small class="soft">{of}</small>}
      </dd>
      {hour !== undefined && values.length > 0 && (
        <dd class="hour">
          <Curve
            values={hour}
            says={t.operations.hour(least ?? "", most ?? "")}
            {...{ areCounts }}
          />
          <small class="soft">
            <span>{t.operations.hourAgo}</span>
            {!areCounts && <span>{t.operations.between(least ?? "", most ?? "")}</span>}
            <span>{t.now}</span>
          </small>
        </dd>
      )}
    </div>
  );
}

function useAge(city: City, at: string | null): number | null {
  const now = useNow(1_000);
  return at === null ? null : city.age(at, now);
}

function useTotals(): Shapes["CityTotals"] | null {
  const [totals, set] = useState<Shapes["CityTotals"] | null>(null);
  useEffect(
    () =>
      repeated(async (signal) => {
        const answer = await read("/v1/city", {}, signal);
        if (answer.ok) set(answer.value);
      }, EVERY_MS),
    [],
  );
  return totals;
}
