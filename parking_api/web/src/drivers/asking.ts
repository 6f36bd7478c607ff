/** What the driver asks for: a place, a stay, a lot. The address holds it, so that it can be shared. */
import { choose, language } from "../language";
import { Store } from "../store";
import { fromControl, toControl } from "../time";

/** Where from: `mine` is in no address, and sent with questions alone. */
export interface Place {
  kind: "mine" | "point" | "named";
  lon: number;
  lat: number;
  name: { zh: string; en?: string | null } | null;
}

export interface Asked {
  place: Place | null;
  /** When the stay begins, ms; null for now. */
  arrival: number | null;
  minutes: number;
  lotId: string | null;
}

export const LENGTHS = [30, 60, 120, 180, 240, 480, 720, 1440] as const;
const USUAL_LENGTH = 120;
/** As long as the API has prices for: 30 days. */
const MOST_MINUTES = 43_200;
/** A name in a link says where; it is no text. */
const MOST_OF_A_NAME = 60;

export const asked = new Store<Asked>(fromAddress());

export function ask(change: Partial<Asked>): void {
  asked.set({ ...asked.value, ...change });
}

/** Write each question into the address after `#`, which is sent to nobody; and follow the address. */
export function keepInAddress(): void {
  const write = (): void => {
    const text = toAddress(asked.value, language.value);
    if (location.hash !== text) history.replaceState(null, "", text);
  };
  asked.listen(write);
  language.listen(write);
  addEventListener("hashchange", () => {
    asked.set(fromAddress());
  });
}

export function toAddress({ place, arrival, minutes, lotId }: Asked, of: string): string {
  const parts = new URLSearchParams();
  if (place !== null && place.kind !== "mine") {
    parts.set("at", `${place.lon.toFixed(5)},${place.lat.toFixed(5)}`);
    if (place.name !== null) parts.set("name", place.name.zh);
    if (place.name?.en) parts.set("name_en", place.name.en);
  }
  if (lotId !== null) parts.set("lot", lotId);
  if (arrival !== null) parts.set("from", toControl(arrival));
  if (minutes !== USUAL_LENGTH) parts.set("for", String(minutes));
  parts.set("lang", of);
  return `#${parts.toString()}`;
}

function fromAddress(): Asked {
  const parts = new URLSearchParams(location.hash.slice(1));
  const lang = parts.get("lang");
  if (lang === "zh" || lang === "en") choose(lang);
  const minutes = Number(parts.get("for") ?? USUAL_LENGTH);
  const isLength = Number.isInteger(minutes) && minutes >= 1 && minutes <= MOST_MINUTES;
  return {
    place: placeOf(parts),
    arrival: fromControl(parts.get("from") ?? ""),
    minutes: isLength ? minutes : USUAL_LENGTH,
    lotId: /^[a-z0-9._-]{1,64}$/.exec(parts.get("lot") ?? "")?.[0] ?? null,
  };
}

function placeOf(parts: URLSearchParams): Place | null {
  const numbers = (parts.get("at") ?? "").split(",");
  const [lon = NaN, lat = NaN] = numbers.map((text) => (text.trim() === "" ? NaN : Number(text)));
  if (!(Math.abs(lon) <= 180 && Math.abs(lat) <= 90)) return null;
  const zh = nameOf(parts.get("name"));
  const name = zh === null ? null : { zh, en: nameOf(parts.get("name_en")) };
  return { kind: name === null ? "point" : "named", lon, lat, name };
}

function nameOf(text: string | null): string | null {
  return (
    Array.from(text?.trim() ?? "")
      .slice(0, MOST_OF_A_NAME)
      .join("") || null
  );
}
