/** The sheet: what is asked, in words. On a phone it lies over the map, in three heights. */
import { useEffect, useState } from "preact/hooks";
import type { City } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";
import { clock } from "../time";
import { asked } from "./asking";
import { LotSheet } from "./lot";
import { myPlace } from "./my_place";
import { Nearby } from "./nearby";
import { WholeCity } from "./whole_city";

type Height = "line" | "half" | "whole";

export function Sheet({ city, hasMap }: { city: City; hasMap: boolean }) {
  const { t } = useWords();
  const { place, lotId } = useStore(asked);
  const [height, setHeight] = useState<Height>("half");

  // What was chosen is shown.
  useEffect(() => {
    setHeight("half");
  }, [place, lotId]);

  return (
    <section class="sheet" data-height={height}>
      <button
        class="handle"
        aria-label={height === "whole" ? t.fold : t.open}
        aria-expanded={height !== "line"}
        onClick={() => {
          setHeight(height === "line" ? "half" : height === "half" ? "whole" : "line");
        }}
      />
      <Notes city={city} hasMap={hasMap} />
      {lotId !== null ? (
        <LotSheet key={lotId} city={city} lotId={lotId} />
      ) : place !== null ? (
        <Nearby city={city} place={place} />
      ) : (
        <WholeCity city={city} />
      )}
    </section>
  );
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
