import { useState } from "preact/hooks";
import { useWords } from "../language";
import { useStore } from "../store";
import { clock } from "../time";
import { endedAt, session, signIn } from "./session";

export function SignIn() {
  const { t, locale } = useWords();
  const present = useStore(session);
  const ended = useStore(endedAt);
  const [wrong, setWrong] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = new FormData(form).get("key");
    if (typeof key !== "string" || key === "" || isBusy) return;
    // Nothing of the page keeps it.
    form.reset();
    setBusy(true);
    void signIn(key.trim()).then((told) => {
      setBusy(false);
      setWrong(told === undefined ? null : (told ?? t.failed));
    });
  };

  return (
    <form class="card" onSubmit={submit}>
      {present !== null ? (
        <p role="alert">{t.operations.endsSoon(clock(present.endsAt, locale))}</p>
      ) : ended !== null ? (
        <p role="alert">{t.operations.ended(clock(ended, locale))}</p>
      ) : (
        <p>{t.operations.askKey}</p>
      )}
      <label>
        {t.operations.key}
        <input name="key" type="password" autocomplete="off" spellcheck={false} required />
      </label>
      <button class="chip" disabled={isBusy}>
        {t.operations.signIn}
      </button>
      {wrong !== null && <p role="alert">{wrong}</p>}
      <p class="soft">
        <small>{t.operations.notKept}</small>
      </p>
    </form>
  );
}
