import { useEffect, useState } from "preact/hooks";
import type { City } from "../city";
import { choose, useWords } from "../language";
import { useNow, useStore } from "../store";
import { clock } from "../time";
import { condition, followCondition, isBroken } from "./condition";
import { Drawer } from "./drawer";
import { Figures } from "./figures";
import { Programs } from "./programs";
import { session, signOut } from "./session";
import { SignIn } from "./sign_in";
import { TroubleMap, type Chosen } from "./trouble_map";
import { TroubleList } from "./trouble_list";
import { follow, troubles } from "./troubles";

const SOON_MS = 120_000;

export function App({ city }: { city: City }) {
  const { t, language, locale } = useWords();
  const now = useNow(1_000);
  const link = useStore(city.link);
  const present = useStore(session);
  const told = useStore(condition);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const isIn = present !== null;
  const isOperations = present?.me.roles.includes("operations") === true;
  const maySee = present?.me.roles.some((role) => role === "operations" || role === "operator");

  useEffect(() => {
    if (isIn && maySee) return follow();
    // What was for the one who is gone is not left on the screen.
    troubles.set(null);
    setChosen(null);
    return undefined;
  }, [isIn, maySee]);

  useEffect(() => {
    if (isOperations) return followCondition();
    condition.set(null);
    return undefined;
  }, [isOperations]);

  return (
    <main class="operations">
      <header>
        <h1>{t.operations.title}</h1>
        {link.state === "gone" && link.heardAt !== null && (
          <p role="alert">{t.gone(clock(link.heardAt, locale, true))}</p>
        )}
        {present !== null && (
          <p class="soft">
            {present.me.name} · {t.operations.endsAt(clock(present.endsAt, locale))}{" "}
            <button class="chip" onClick={signOut}>
              {t.operations.signOut}
            </button>
          </p>
        )}
        <button
          class="chip"
          lang={language === "zh" ? "en" : "zh-CN"}
          onClick={() => {
            choose(language === "zh" ? "en" : "zh");
          }}
        >
          {t.otherLanguage}
        </button>
      </header>
      <Figures city={city} />
      <div class="left">
        {(present === null || present.endsAt - now < SOON_MS) && <SignIn />}
        {isIn && !maySee && <p role="alert">{t.operations.noRole}</p>}
        {isBroken(told) && <Programs />}
        {isIn && maySee && <TroubleList city={city} onChoose={setChosen} />}
        {!isBroken(told) && <Programs />}
      </div>
      <TroubleMap city={city} gatewayId={chosen?.gatewayId ?? null} onChoose={setChosen} />
      {isIn && chosen !== null && (
        <Drawer
          key={chosen.gatewayId}
          {...chosen}
          city={city}
          onClose={() => {
            setChosen(null);
          }}
        />
      )}
    </main>
  );
}
