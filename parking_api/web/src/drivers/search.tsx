/** The search field: places, districts and lots by name, as one types. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { read, type Shapes } from "../client";
import { useWords } from "../language";
import { ask } from "./asking";
import { askMyPlace } from "./my_place";

type Found = Shapes["FoundPlace"];

const PAUSE_MS = 150;
const MOST = 8;

/** What was found for a text; null where there was no answer. */
interface Answered {
  text: string;
  found: Found[] | null;
}

export function Search() {
  const { t, name } = useWords();
  const [text, setText] = useState("");
  const [told, setTold] = useState<Answered | null>(null);
  const [at, setAt] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  /** What Enter was pressed for before anything was found for it. */
  const entered = useRef<string | null>(null);
  const list = useId();

  const found = told?.found ?? null;

  const choose = (one: Found): void => {
    const [lon, lat] = one.location.coordinates;
    const place = { kind: "named" as const, lon, lat, name: one.name };
    ask({ place, lotId: one.kind === "lot" ? one.id : null });
    setText("");
    field.current?.blur();
  };

  useEffect(() => {
    const question = text.trim();
    setAt(-1);
    if (question === "") {
      setTold(null);
      return;
    }
    const end = new AbortController();
    const timer = setTimeout(() => {
      const query = { q: question, limit: MOST };
      read("/v1/places", { query }, end.signal)
        .then((answer) => {
          const items = answer.ok ? answer.value.items : null;
          setTold({ text: question, found: items });
          // It was entered before it was found.
          if (entered.current === question && items?.[0] !== undefined) choose(items[0]);
        })
        // Another question has taken its place.
        .catch(() => undefined);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      end.abort();
    };
  }, [text]);

  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.isComposing && told?.text !== text.trim()) {
      entered.current = text.trim();
      event.preventDefault();
      return;
    }
    const count = found?.length ?? 0;
    if (event.key === "Escape") setText("");
    if (event.isComposing || count === 0) return;
    if (event.key === "ArrowDown") setAt((at + 1) % count);
    else if (event.key === "ArrowUp") setAt((at + count - 1) % count);
    else if (event.key === "Enter") {
      const one = found?.[Math.max(0, at)];
      if (one) choose(one);
    } else return;
    event.preventDefault();
  };

  const isOpen = told !== null;
  return (
    <div class="search">
      <input
        ref={field}
        type="text"
        role="combobox"
        enterkeyhint="search"
        autocomplete="off"
        placeholder={t.search}
        aria-label={t.search}
        aria-expanded={isOpen}
        aria-controls={list}
        aria-autocomplete="list"
        {...(at >= 0 ? { "aria-activedescendant": `${list}-${at}` } : {})}
        value={text}
        onInput={(event) => {
          entered.current = null;
          setText(event.currentTarget.value);
        }}
        onKeyDown={onKey}
      />
      {text === "" ? (
        <button class="icon" aria-label={t.myPlace} title={t.myPlace} onClick={askMyPlace}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="12" cy="12" r="6" />
            <circle cx="12" cy="12" r="2" class="filled" />
            <path d="M12 2v4M12 18v4M2 12h4M18 12h4" />
          </svg>
        </button>
      ) : (
        <button
          class="icon"
          aria-label={t.clear}
          onClick={() => {
            setText("");
            field.current?.focus();
          }}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M6 6l12 12M18 6L6 18" />
          </svg>
        </button>
      )}
      <div class="found" hidden={!isOpen}>
        <ul role="listbox" id={list} aria-label={t.results}>
          {found?.map((one, index) => (
            <li
              key={one.kind + one.id}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === at}
              onPointerDown={(event) => {
                // The field keeps the focus until the choice is made.
                event.preventDefault();
              }}
              onClick={() => {
                choose(one);
              }}
            >
              <span>{name(one.name)}</span> <small>{t.kind[one.kind]}</small>
            </li>
          ))}
        </ul>
        {found?.length === 0 && <p role="status">{t.nothingFound(told?.text ?? "")}</p>}
        {isOpen && found === null && <p role="alert">{t.failed}</p>}
      </div>
    </div>
  );
}
