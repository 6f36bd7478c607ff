import { useEffect, useState } from "preact/hooks";
import { words, type Words } from "../language";
import { useNow, useStore } from "../store";
import { ARROWS, type Arrow, type Wanted } from "./asking";
import type { Board } from "./board";

/** Both stand on every sign. */
const ZH = words("zh");
const EN = words("en");
/** A line is at least so high, in CSS pixels; on an upright screen its figure is below its name. */
const LINE_PX = 200;
const UPRIGHT_LINE_PX = 400;
/** Lots that do not fit take turns. */
const PAGE_MS = 10_000;

export function Sign({ board }: { board: Board }) {
  useStore(board.turns);
  const now = useNow(1_000);
  const most = useMostLines();
  const { lots } = board.asked;
  if (lots.length === 0) return <How />;
  const pages = Math.ceil(lots.length / most);
  const start = (Math.floor(now / PAGE_MS) % pages) * most;
  const lines = lots.slice(start, start + most);
  return (
    <main class="sign">
      <h1 class="unseen">
        {ZH.t.sign.title} <span lang="en">{EN.t.sign.title}</span>
      </h1>
      <ul style={{ "--lines": Math.min(lots.length, most), "--digits": board.digits }}>
        {lines.map((wanted) => (
          <Line key={wanted.lotId} wanted={wanted} board={board} />
        ))}
      </ul>
    </main>
  );
}

function Line({ wanted, board }: { wanted: Wanted; board: Board }) {
  const { name, figure, why } = board.shown(wanted);
  const both = (say: (of: Words) => string) => (
    <>
      <span>{say(ZH)}</span> <span lang="en">{say(EN)}</span>
    </>
  );
  return (
    <li class={wanted.arrow === null ? "line" : "line with-arrow"} data-lot={wanted.lotId}>
      {wanted.arrow !== null && <Pointer arrow={wanted.arrow} />}
      <p class="name">
        {name === null ? wanted.lotId : both((of) => of.name(name))}
        {why === null ? (
          <small>{both(({ t }) => t.free)}</small>
        ) : (
          <small class="why">{both(why)}</small>
        )}
      </p>
      <p class="free">{figure}</p>
    </li>
  );
}

function Pointer({ arrow }: { arrow: Arrow }) {
  const label = `${ZH.t.sign.arrow[arrow]} ${EN.t.sign.arrow[arrow]}`;
  return (
    <svg class="arrow" viewBox="-50 -50 100 100" role="img" aria-label={label}>
      <path transform={`rotate(${ARROWS[arrow]})`} d="M-42 0H36M2-36 38 0 2 36" />
    </svg>
  );
}

function How() {
  const example = `${location.origin}/sign?lots=370202-0001:left,370202-0002:up&limit=300`;
  return (
    <main class="how">
      {[ZH, EN].map(({ t, locale }) => (
        <section key={locale} lang={locale}>
          <h1>{t.sign.title}</h1>
          <p>{t.sign.how}</p>
          <p class="address">{example}</p>
          <p>{Object.keys(ARROWS).join(" ")}</p>
          <p>{t.sign.more}</p>
        </section>
      ))}
    </main>
  );
}

function useMostLines(): number {
  const [most, set] = useState(mostLines);
  useEffect(() => {
    const measure = (): void => {
      set(mostLines());
    };
    addEventListener("resize", measure);
    return () => {
      removeEventListener("resize", measure);
    };
  }, []);
  return most;
}

function mostLines(): number {
  return Math.max(
    1,
    Math.floor(innerHeight / (innerWidth < innerHeight ? UPRIGHT_LINE_PX : LINE_PX)),
  );
}
