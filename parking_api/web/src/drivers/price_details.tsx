/** How the price of the stay is made, line by line, and what other lengths would cost. */
import { useEffect, useState } from "preact/hooks";
import { quote, type Shapes } from "../client";
import { useWords } from "../language";
import { useStore } from "../store";
import { toInstant } from "../time";
import { asked, LENGTHS } from "./asking";
import { Skeleton } from "./whole_city";

type FullQuote = Shapes["FullQuote"];

export function PriceDetails({ lot }: { lot: Shapes["LotAnswer"] }) {
  const { t } = useWords();
  const [isOpen, setIsOpen] = useState(false);
  if (lot.quote === null) return null;
  return (
    <details
      onToggle={(event) => {
        setIsOpen(event.currentTarget.open);
      }}
    >
      <summary>{t.howPriced}</summary>
      {isOpen && <Lines lot={lot} />}
    </details>
  );
}

function Lines({ lot }: { lot: Shapes["LotAnswer"] }) {
  const { t, language, money } = useWords();
  const { minutes } = useStore(asked);
  const [quotes, setQuotes] = useState<ReadonlyMap<number, FullQuote> | null>(null);
  const from = lot.stay.from;

  useEffect(() => {
    const end = new AbortController();
    pricesOf(lot.lot_id, Date.parse(from), [...new Set([minutes, ...LENGTHS])], end.signal)
      .then(setQuotes)
      // Another question has taken its place.
      .catch(() => undefined);
    return () => {
      end.abort();
    };
  }, [lot.lot_id, from, minutes]);

  if (quotes === null) return <Skeleton label={t.loading} />;
  const own = quotes.get(minutes);
  return (
    <>
      {own === undefined ? (
        <p>{t.failed}</p>
      ) : (
        <ol class="lines">
          {own.lines.map((line) => (
            <li key={`${line.start}${line.kind}`}>{line.text[language]}</li>
          ))}
          {own.provisional && <li>{t.provisional}</li>}
        </ol>
      )}
      <table>
        <caption>{t.quickTable}</caption>
        <tbody>
          {LENGTHS.map((length) => {
            const one = quotes.get(length);
            return (
              <tr key={length} aria-current={length === minutes}>
                <th scope="row">{t.length(length)}</th>
                <td>{one === undefined ? "–" : money(one.total_minor, one.currency)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

/** What stays of each length cost; those that have no price are left out. */
async function pricesOf(
  lotId: string,
  from: number,
  lengths: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, FullQuote>> {
  const found = new Map<number, FullQuote>();
  await Promise.all(
    lengths.map(async (minutes) => {
      const stay = { entry: toInstant(from), exit: toInstant(from + minutes * 60_000) };
      const answer = await quote({ lot_id: lotId, ...stay }, signal);
      if (answer.ok) found.set(minutes, answer.value);
    }),
  );
  return found;
}
