/** The sheet: what is asked, in words. On a phone it lies over the map, in three heights. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { City } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";
import { clock } from "../time";
import { asked } from "./asking";
import type { Bays } from "./bays";
import { LotSheet } from "./lot";
import { myPlace } from "./my_place";
import { Nearby } from "./nearby";
import { WholeCity } from "./whole_city";

type Height = "line" | "half" | "whole";

export function Sheet({ city, bays, hasMap }: { city: City; bays: Bays; hasMap: boolean }) {
  const { place, lotId } = useStore(asked);
  const [height, setHeight] = useState<Height>("half");

  // What was chosen is shown.
  useEffect(() => {
    setHeight("half");
  }, [place, lotId]);

  return (
    <section class="sheet" data-height={height}>
      <Handle height={height} onChange={setHeight} />
      <Notes city={city} hasMap={hasMap} />
      {lotId !== null ? (
        <LotSheet key={lotId} city={city} bays={bays} lotId={lotId} />
      ) : place !== null ? (
        <Nearby city={city} place={place} />
      ) : (
        <WholeCity city={city} />
      )}
    </section>
  );
}

const HEIGHTS: readonly Height[] = ["line", "half", "whole"];
/** A finger that has moved less has only touched. */
const DRAGGED_PX = 24;

/** Drawn up or down it makes the sheet higher or lower; touched, or by a key, each height in turn. */
function Handle({ height, onChange }: { height: Height; onChange: (next: Height) => void }) {
  const { t } = useWords();
  const from = useRef<number | null>(null);
  const wasDrawn = useRef(false);
  const step = (by: number): void => {
    const next = Math.max(0, Math.min(HEIGHTS.length - 1, HEIGHTS.indexOf(height) + by));
    onChange(HEIGHTS[next] ?? height);
  };
  return (
    <button
      class="handle"
      aria-label={height === "whole" ? t.fold : t.open}
      aria-expanded={height !== "line"}
      onPointerDown={(event) => {
        from.current = event.clientY;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerUp={(event) => {
        const drawn = event.clientY - (from.current ?? event.clientY);
        wasDrawn.current = Math.abs(drawn) >= DRAGGED_PX;
        if (wasDrawn.current) step(drawn < 0 ? 1 : -1);
      }}
      onClick={() => {
        if (!wasDrawn.current) onChange(height === "whole" ? "line" : nextOf(height));
        wasDrawn.current = false;
      }}
    />
  );
}

function nextOf(height: Height): Height {
  return HEIGHTS[HEIGHTS.indexOf(height) + 1] ?? height;
}

/** What is amiss, and since when. */
function Notes({ city, hasMap }: { city: City; hasMap: boolean }) {
  const { t, locale } = useWords();
  const link = useStore(city.link);
  const isAway = useStore(city.isAway);
  const mine = useStore(myPlace);
  const isOffline = useOffline();
  const notes: string[] = [];
  if (isOffline) notes.push(t.offline);
  if (link.state === "gone" && link.heardAt !== null)
    notes.push(t.gone(clock(link.heardAt, locale, true)));
  else if (isAway && !isOffline) notes.push(t.away);
  if (mine === "denied") notes.push(t.denied);
  if (mine === "unknown") notes.push(t.noPlace);
  if (mine === "asking") notes.push(t.asking);
  if (!hasMap) notes.push(t.noWebGl);
  return (
    <div role="status" class="notes">
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}

function useOffline(): boolean {
  const [isOffline, set] = useState(!navigator.onLine);
  useEffect(() => {
    const look = (): void => {
      set(!navigator.onLine);
    };
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  return isOffline;
}
