/** What is wrong, the worst first, by operator; or, large, that nothing is. */
import type { City } from "../city";
import { useWords, type Words } from "../language";
import { useNow, useStore } from "../store";
import { clock } from "../time";
import { condition, isWell } from "./condition";
import { Refused } from "./refused";
import { session } from "./session";
import type { Chosen } from "./trouble_map";
import { isWrong, problem, troubles, worstFirst, type Feed } from "./troubles";

interface Props {
  city: City;
  onChoose: (chosen: Chosen) => void;
}

export function TroubleList({ city, onChoose }: Props) {
  const { t, name, locale } = useWords();
  const found = useStore(troubles);
  const wrong = useStore(problem);
  const isWhole = useIsWhole(city);
  if (found === null) {
    return <p role="status">{wrong === undefined ? t.loading : (wrong ?? t.failed)}</p>;
  }
  const worst = worstFirst(found.feeds.filter(isWrong));
  const others = found.feeds.filter((feed) => !isWrong(feed));
  const byOperator = Map.groupBy(worst, (feed) => feed.operator_id);
  return (
    <>
      {wrong !== undefined && <p role="alert">{wrong ?? t.failed}</p>}
      {worst.length > 0 && <h2>{t.operations.worst}</h2>}
      {worst.length === 0 && found.letters.length === 0 && isWhole && wrong === undefined && (
        <div class="nothing" role="status">
          <p>{t.operations.nothing}</p>
          <small>{t.operations.nothingAt(clock(found.at, locale, true))}</small>
        </div>
      )}
      {[...byOperator].map(([operatorId, feeds]) => {
        const operator = found.operators.get(operatorId);
        return (
          <section key={operatorId} class="card" aria-label={operatorId}>
            <h3>{operator === undefined ? operatorId : name(operator.name)}</h3>
            <Rows feeds={feeds} city={city} onChoose={onChoose} />
          </section>
        );
      })}
      {found.letters.length > 0 && (
        <section class="card">
          <h3>{t.operations.refused}</h3>
          <Refused letters={found.letters} />
        </section>
      )}
      {others.length > 0 && (
        <section aria-label={t.operations.inOrder}>
          <h3 class="soft">{t.operations.inOrder}</h3>
          <ul class="others">
            {others.map(({ gateway_id: id }) => (
              <li key={id}>
                <button
                  class="chip"
                  onClick={() => {
                    onChoose({ gatewayId: id });
                  }}
                >
                  {id}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Whether the platform itself has no trouble; operators are not told of it. */
function useIsWhole(city: City): boolean {
  const told = useStore(condition);
  const now = useNow(1_000);
  const roles = useStore(session)?.me.roles ?? [];
  const at = told?.ok === true ? told.value.as_of : null;
  return !roles.includes("operations") || isWell(told, at === null ? null : city.age(at, now));
}

function Rows({ feeds, city, onChoose }: Props & { feeds: readonly Feed[] }) {
  const words = useWords();
  const now = useNow(1_000);
  const { t } = words;
  return (
    <ul>
      {feeds.map((feed) => (
        <li key={feed.gateway_id}>
          <button
            class="row"
            onClick={() => {
              onChoose({ gatewayId: feed.gateway_id });
            }}
          >
            <b>{feed.gateway_id}</b>
            <span class={feed.unknown > 0 ? "bad" : ""}>{saying(feed, words)}</span>
            <small class="soft">
              {feed.received_at === null
                ? t.operations.neverHeard
                : t.operations.lastAt(t.age(city.age(feed.received_at, now)))}
            </small>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function saying(feed: Feed, { t, number }: Words): string {
  const { unknown, stale, lots, hidden_spaces: hidden, dead_letters_24h: refused } = feed;
  const of = t.operations;
  return [
    ...(unknown === 0 ? [] : [unknown === lots ? of.allSilent(lots) : of.silent(unknown, lots)]),
    ...(hidden === 0 ? [] : [of.hidden(number(hidden))]),
    ...(stale === 0 ? [] : [of.stale(stale)]),
    ...(refused === 0 ? [] : [of.refusedCount(refused)]),
  ].join(" · ");
}
