/** One gateway: its lots, what was refused, what to do, and a first push to try. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { City } from "../city";
import { read, type Shapes, type Told } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { useNow } from "../store";
import { Refused } from "./refused";
import { heard } from "./session";
import { saying } from "./trouble_list";
import type { Feed, Letter } from "./troubles";

type Lots = Shapes["LotFeeds"];
type LotFeed = Lots["items"][number];

const EVERY_MS = 5_000;
const LETTERS = 20;
const MOST_LOTS = 1_000;

interface Props {
  gatewayId: string;
  /** Of its lots, the one that is asked about. */
  lotId?: string | undefined;
  city: City;
  onClose: () => void;
}

export function Drawer({ gatewayId, lotId, city, onClose }: Props) {
  const words = useWords();
  const { t } = words;
  const [lots, setLots] = useState<Told<Lots> | null>(null);
  const [letters, setLetters] = useState<readonly Letter[]>([]);

  useEffect(() => {
    const path = { gateway_id: gatewayId };
    const look = async (signal: AbortSignal): Promise<void> => {
      const query = { limit: MOST_LOTS };
      setLots(heard(await read("/v1/feeds/{gateway_id}", { path, query }, signal)));
      const of = { gateway: gatewayId, limit: LETTERS };
      const refused = heard(await read("/v1/dead-letters", { query: of }, signal));
      if (refused.ok) setLetters(refused.value.items);
    };
    return repeated(look, EVERY_MS);
  }, [gatewayId]);

  const title = useRef<HTMLHeadingElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const before = document.activeElement;
    title.current?.focus();
    const onKeyDown = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") close.current();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
  }, []);
  const first = lots?.ok === true ? chosenFirst(lots.value.items, lotId) : [];

  return (
    <aside class="drawer" aria-label={gatewayId}>
      <header>
        <h2 ref={title} tabIndex={-1}>
          {gatewayId}
        </h2>
        <button class="chip" onClick={onClose}>
          {t.operations.close}
        </button>
      </header>
      {lots === null && <p role="status">{t.loading}</p>}
      {lots !== null && !lots.ok && <p role="alert">{lots.problem ?? t.failed}</p>}
      {lots?.ok === true && (
        <>
          <p class={lots.value.gateway.unknown > 0 ? "bad" : ""}>
            {saying(lots.value.gateway, words)}
          </p>
          <h3>{t.operations.todo}</h3>
          <Todo feed={lots.value.gateway} />
          <h3>{t.operations.lots}</h3>
          <LotRows lots={first} lotId={lotId} city={city} />
          <h3>{t.operations.refused}</h3>
          <Refused letters={letters} />
          <Push gatewayId={gatewayId} lot={first[0]} />
        </>
      )}
    </aside>
  );
}

function Todo({ feed }: { feed: Feed }) {
  const { t } = useWords();
  const of = t.operations;
  const steps =
    feed.unknown > 0
      ? feed.unknown === feed.lots
        ? of.todoAll
        : of.todoSome
      : [feed.dead_letters_24h > 0 ? of.todoRefused : of.todoFine];
  return (
    <ol class="todo">
      {steps.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ol>
  );
}

const ORDER = { unknown: 0, estimated: 1, stale: 2, live: 3 } as const;

/** The lot that is asked about, then the worst. */
function chosenFirst(lots: readonly LotFeed[], lotId: string | undefined): LotFeed[] {
  const order = (lot: LotFeed): number => (lot.lot_id === lotId ? -1 : ORDER[lot.data_state]);
  return [...lots].sort((one, other) => order(one) - order(other));
}

interface Rows {
  lots: readonly LotFeed[];
  lotId: string | undefined;
  city: City;
}

function LotRows({ lots, lotId, city }: Rows) {
  const { t, name, number } = useWords();
  const now = useNow(1_000);
  return (
    <ul class="lots">
      {lots.map((lot) => (
        <li key={lot.lot_id} aria-current={lot.lot_id === lotId}>
          {/* Beside this page, which would forget who is signed in. */}
          <a href={`/#lot=${lot.lot_id}`} target="_blank" rel="noreferrer">
            {name(lot.name)}
          </a>{" "}
          <small class="soft">
            {lot.lot_id} · {t.operations.spaces(number(lot.capacity))}
          </small>{" "}
          <small class={lot.data_state === "unknown" ? "bad" : "soft"}>
            {lot.received_at === null
              ? t.operations.neverHeard
              : t.operations.lastAt(t.age(city.age(lot.received_at, now)))}
          </small>
        </li>
      ))}
    </ul>
  );
}

/** As docs/operators.md has it, for this gateway and one of its lots. */
function Push({ gatewayId, lot }: { gatewayId: string; lot: LotFeed | undefined }) {
  const { t } = useWords();
  if (lot === undefined) return null;
  const [kind, says] =
    lot.reporting === "bays" ? ["spaces", '"occupied": [1], "free": [2]'] : ["count", '"free": 1'];
  const text = [
    `curl -s ${location.origin}/v1/feeds/${gatewayId}/${lot.lot_id}/${kind} \\`,
    `  -u "${gatewayId}:PASSWORD" -d '{"epoch": '$(date +%s)', "seq": 1,`,
    `  "observed_at": "'$(date -Iseconds)'", ${says}}'`,
  ].join("\n");
  return (
    <>
      <h3>{t.operations.tryPush}</h3>
      <pre tabIndex={0}>{text}</pre>
      <p class="soft">
        <small>{t.operations.tryHow}</small>
      </p>
    </>
  );
}
