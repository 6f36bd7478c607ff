/**
 * The map's marks for the keyboard and for screen readers: a button over each, which is seen only
 * while it has the focus. Tab comes to one of them, arrows go from mark to mark.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { lookOf, type City } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";
import type { CityMap } from "./map";
import { isArrow, nextMark, type ShownMark } from "./shown";

export function MarkButtons({ map, city }: { map: CityMap; city: City }) {
  const { t } = useWords();
  const marks = useStore(map.shown);
  const [key, setKey] = useState<string | null>(null);
  const group = useRef<HTMLDivElement>(null);
  const hadFocus = useRef(false);
  const current = marks.find((mark) => mark.key === key) ?? marks[0];

  // Where a sum has opened, or the map has moved on, another mark takes the focus over.
  useEffect(() => {
    if (!hadFocus.current || group.current === null || current === undefined) return;
    if (!group.current.contains(document.activeElement)) focus(group.current, current.key);
  }, [marks, current]);

  return (
    <div
      class="mark-buttons"
      role="group"
      aria-label={t.marks}
      ref={group}
      onFocusIn={() => {
        hadFocus.current = true;
      }}
      onFocusOut={(event) => {
        // A button that has gone takes its focus with it; people take it elsewhere.
        if (event.relatedTarget !== null) hadFocus.current = false;
      }}
    >
      {marks.map((mark) => (
        <button
          key={mark.key}
          data-key={mark.key}
          style={{ left: `${mark.x}px`, top: `${mark.y}px` }}
          tabIndex={mark.key === current?.key ? 0 : -1}
          onFocus={() => {
            setKey(mark.key);
          }}
          onClick={() => {
            void map.open(mark);
          }}
          onKeyDown={(event) => {
            if (!isArrow(event.key)) return;
            event.preventDefault();
            const next = nextMark(marks, mark, event.key);
            if (next !== null && group.current !== null) focus(group.current, next.key);
          }}
        >
          <MarkText mark={mark} city={city} />
        </button>
      ))}
    </div>
  );
}

function focus(group: HTMLElement, key: string): void {
  group.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

function MarkText({ mark, city }: { mark: ShownMark; city: City }) {
  const { t, name, number } = useWords();
  const free = mark.free === null ? t.unknownNow : t.freeIs(number(mark.free));
  if (mark.lotId === null) return <>{`${t.lotsIn(number(mark.lots))} · ${free}`}</>;
  const registered = city.registered.value.get(mark.lotId);
  const state = city.lots.value.get(mark.lotId);
  const look = state === undefined ? "unknown" : lookOf(state);
  const said = look === "closed" ? t.closed : look === "full" ? t.full : free;
  return <>{`${registered === undefined ? mark.lotId : name(registered.name)} · ${said}`}</>;
}
