import { useEffect, useRef, useState } from "preact/hooks";
import type { City } from "../city";
import { choose, useWords } from "../language";
import type { Bays } from "./bays";
import type { CityMap } from "./map";
import { MarkButtons } from "./mark_buttons";
import { Search } from "./search";
import { Sheet } from "./sheet";
import { StayControls } from "./stay";

export function App({ city, bays }: { city: City; bays: Bays }) {
  const { t, language } = useWords();
  const ground = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<CityMap | null>(null);
  const [hasMap, setHasMap] = useState(true);

  useEffect(() => {
    let made: CityMap | null = null;
    let isOver = false;
    // The largest part of the page: what is asked and answered does not wait for it.
    import("./map")
      .then(({ CityMap }) => {
        if (ground.current === null || isOver) return;
        made = new CityMap(ground.current, city, bays);
        setMap(made);
      })
      .catch(() => {
        setHasMap(false);
      });
    return () => {
      isOver = true;
      made?.remove();
    };
  }, [city, bays]);

  return (
    <main class="drivers">
      <div class="map" ref={ground} role="region" aria-label={t.map} />
      <div class="panel">
        <header>
          <h1 class="unseen">{t.title}</h1>
          <div class="pill">
            <Search />
            <button
              class="language"
              lang={language === "zh" ? "en" : "zh-CN"}
              onClick={() => {
                choose(language === "zh" ? "en" : "zh");
              }}
            >
              {t.otherLanguage}
            </button>
          </div>
          <StayControls />
        </header>
        <Sheet city={city} bays={bays} hasMap={hasMap} />
      </div>
      {map !== null && <MarkButtons map={map} city={city} />}
    </main>
  );
}
