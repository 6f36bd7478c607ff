/** What is missing of the platform, and a line for each of its programs; for operations. */
import { useEffect, useState } from "preact/hooks";
import { read, type Shapes, type Told } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { heard } from "./session";

const EVERY_MS = 5_000;

export function Programs() {
  const { t } = useWords();
  const [answer, setAnswer] = useState<Told<Shapes["Condition"]> | null>(null);
  useEffect(() => {
    const look = async (signal: AbortSignal): Promise<void> => {
      setAnswer(heard(await read("/v1/operations", {}, signal)));
    };
    return repeated(look, EVERY_MS);
  }, []);
  if (answer === null) return null;
  if (!answer.ok) return <p role="alert">{answer.problem ?? t.failed}</p>;
  const { detail, programs } = answer.value;
  return (
    <>
      {detail != null && <p role="alert">{detail}</p>}
      {programs != null && (
        <section class="card">
          <h3>{t.operations.programs}</h3>
          <ul class="programs">
            {programs.map(({ name, is_up: isUp, restarts }) => (
              <li key={name} class={isUp ? "" : "bad"}>
                <b>{name}</b> {isUp ? t.operations.isUp : t.operations.isDown}
                {restarts > 0 && <> · {t.operations.restarts(restarts)}</>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
