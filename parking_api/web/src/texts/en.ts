/** The page in English; see `zh.ts`. */
import type { Texts } from "./zh";

function age(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

function length(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

function metres(m: number): string {
  return m < 1000 ? `${Math.round(m / 10) * 10} m` : `${(m / 1000).toFixed(1)} km`;
}

export const en: Texts = {
  title: "City parking · free spaces",
  map: "Map of the lots",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  otherLanguage: "中文",
  search: "Search a place or a lot",
  clear: "Clear",
  nothingFound: (text) => `Nothing is called “${text}”`,
  kind: { place: "place", district: "district", lot: "lot" },
  results: "Found",
  now: "now",
  arrival: "Arrival",
  arrivalIs: (time) => `Arrival: ${time}`,
  stay: "Length of stay",
  stayIs: (time) => `Stay: ${time}`,
  length,
  myPlace: "My place",
  asking: "Looking for you…",
  denied: "Your place may not be used. Search for one, or tap the map.",
  noPlace: "Your place cannot be found now. Search for one, or tap the map.",
  thisPoint: "This point",
  outside: "That place is outside the city.",
  citySpaces: (free) => `${free} free in the city`,
  cityLots: (lots, capacity) => `${lots} lots · ${capacity} spaces`,
  unheard: (lots) => `nothing known of ${lots} lots`,
  how: "Search for where you are going, or tap the map: the nearest free spaces, the walk and the price.",
  near: (name) => `Near ${name}`,
  list: "Lots nearby",
  free: "free",
  freeOf: (capacity) => `of ${capacity}`,
  unknownNow: "not known now",
  full: "full",
  closed: "closed",
  closedUntil: (time) => `closed until ${time}`,
  filling: "nearly full",
  age,
  tooOld: (seconds) => `${age(seconds)}: not known now`,
  never: "nothing heard yet",
  walk: (minutes, m) => (minutes > 60 ? metres(m) : `about ${minutes} min walk · ${metres(m)}`),
  price: (minutes, money) => `${money} for ${length(minutes)}`,
  noPrice: "price not known",
  closesAt: (time) => `closes ${time}`,
  none: (m) => `No lot with a free space within ${metres(m)}`,
  nearestIs: "The nearest is",
  noneAtAll: (m) => `No free space within ${metres(m)}.`,
  back: "Back",
  freeNow: "Free now",
  total: (money) => `Total ${money}`,
  navigate: "Navigate",
  maps: { amap: "Amap", baidu: "Baidu Maps", tencent: "Tencent Maps", geo: "Another map app" },
  hours: "Opening hours",
  allDay: "day and night",
  maxHeight: (m) => `up to ${m} m high`,
  chargers: (bays) => `${bays} with chargers`,
  accessible: (bays) => `${bays} accessible`,
  notice: "Official tariff",
  howPriced: "How the price is made",
  quickTable: "Length of stay and price",
  provisional: "It may change once the year's holidays are published.",
  today: "Free today",
  todayIs: (low, high) => `Free spaces today: ${low} at least, ${high} at most`,
  usual: "usual for this weekday",
  noHistory: "There is no history yet.",
  levels: "Levels",
  level: (level) => (level < 0 ? `B${-level}` : `Level ${level}`),
  freeIs: (free) => `${free} free`,
  share: "Share",
  copied: "Link copied",
  types: {
    surface: "surface lot",
    underground: "underground",
    multi_storey: "multi-storey",
    on_street: "on the street",
  },
  loading: "Loading…",
  connecting: "Connecting to live data…",
  gone: (time) => `No news since ${time}; trying again`,
  away: "The platform does not answer; trying again.",
  offline: "This device is offline.",
  failed: "There was no answer.",
  again: "Try again",
  degraded: "The database is away: free spaces as last known.",
  noWebGl: "This browser cannot show the map; search and list work.",
  open: "Open",
  fold: "Fold",
  lotsIn: (lots) => `${lots} lots`,
  inTenThousands: (value) =>
    value < 10_000 ? String(value) : `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)}k`,
  legend: "Legend",
  legends: {
    free: "free",
    filling: "nearly full",
    full: "full",
    stale: "old data",
    unknown: "not known",
    closed: "closed",
  },
  sign: {
    title: "Parking sign",
    noLot: "There is no such lot",
    retired: "No longer in use",
    notAnId: "Not an id of a lot",
    arrow: {
      left: "left",
      right: "right",
      up: "straight on",
      down: "behind",
      "up-left": "ahead to the left",
      "up-right": "ahead to the right",
      "down-left": "behind to the left",
      "down-right": "behind to the right",
    },
    how: "Name the lots in the address, each with an arrow if you like:",
    more: "limit is the oldest data to show, in seconds. Press the screen to fill it.",
  },
};
