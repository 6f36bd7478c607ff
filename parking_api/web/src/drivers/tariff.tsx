/** The tariff of a lot in words: what is charged when, the most, and what is free. */
import { useEffect, useState } from "preact/hooks";
import { read, type Shapes } from "../client";
import { useWords } from "../language";

/** Of the notice's sections, what a driver asks first; the notice has the others too. */
const KINDS: readonly Shapes["SectionInWords"]["kind"][] = ["rates", "caps", "free"];

/**
 * @param tariffId - of the tariff that prices the stay
 * @param version - of it
 */
export function TariffInWords({ tariffId, version }: { tariffId: string; version: number }) {
  const { t, language } = useWords();
  const [sentences, setSentences] = useState<readonly string[]>([]);

  useEffect(() => {
    const end = new AbortController();
    const question = {
      path: { tariff_id: tariffId, version },
      query: { f: "json" as const, lang: language },
    };
    read("/v1/tariffs/{tariff_id}/versions/{version}/notice", question, end.signal)
      .then((answer) => {
        const notice = answer.ok && typeof answer.value === "object" ? answer.value : null;
        const sections = notice?.sections.filter(({ kind }) => KINDS.includes(kind)) ?? [];
        setSentences(sections.flatMap((section) => section.sentences));
      })
      // Another question has taken its place.
      .catch(() => undefined);
    return () => {
      end.abort();
    };
  }, [tariffId, version, language]);

  return (
    <section class="tariff" aria-label={t.tariff}>
      {sentences.length > 0 && (
        <ul>
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <a
        href={`/v1/tariffs/${tariffId}/versions/${version}/notice?lang=${language}`}
        target="_blank"
        rel="noreferrer"
      >
        {t.notice}
      </a>
    </section>
  );
}
