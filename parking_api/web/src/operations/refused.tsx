import { useWords } from "../language";
import { useNow } from "../store";
import { dayAndClock } from "../time";
import type { Letter } from "./troubles";

/** Refused messages: what was wrong, in words; opened, the message itself. */
export function Refused({ letters }: { letters: readonly Letter[] }) {
  const { t, locale } = useWords();
  const now = useNow(60_000);
  if (letters.length === 0) return <p class="soft">{t.operations.noRefused}</p>;
  return (
    <ul>
      {letters.map((letter) => (
        <li key={letter.dead_letter_id}>
          <details>
            <summary>
              <b>{t.operations.reasons[letter.reason] ?? letter.reason}</b>{" "}
              <small class="soft">
                {letter.gateway_id} · {letter.lot_id} ·{" "}
                {dayAndClock(Date.parse(letter.last_received_at), now, locale)} ·{" "}
                {t.operations.times(letter.times)}
              </small>
            </summary>
            <p>{letter.detail}</p>
            <pre tabIndex={0}>{`${letter.topic}\n${letter.payload}`}</pre>
          </details>
        </li>
      ))}
    </ul>
  );
}
