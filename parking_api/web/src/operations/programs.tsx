/** What is missing of the platform, and a line for each of its programs; for operations. */
import { useWords } from "../language";
import { useStore } from "../store";
import { condition } from "./condition";
import { problem } from "./troubles";

export function Programs() {
  const { t } = useWords();
  const told = useStore(condition);
  const wrong = useStore(problem);
  if (told === null) return null;
  // What nobody can be asked is said once, above the list.
  if (!told.ok) return wrong === undefined ? <p role="alert">{told.problem ?? t.failed}</p> : null;
  const { missing, detail, programs } = told.value;
  const downFirst = [...(programs ?? [])].sort((one, other) => +one.is_up - +other.is_up);
  return (
    <>
      {missing.length > 0 && (
        <p role="alert">
          <b>{t.operations.missing(missing.map((part) => t.operations.parts[part] ?? part))}</b>{" "}
          {detail}
        </p>
      )}
      {downFirst.length > 0 && (
        <section class="card">
          <h3>{t.operations.programs}</h3>
          <ul class="programs">
            {downFirst.map(({ name, is_up: isUp, restarts }) => (
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
