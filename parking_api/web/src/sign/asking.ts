/** What the address asks for: `/sign?lots=370202-0001:left,370202-0002&limit=300`. */

/** Degrees that an arrow to the right is turned by, clockwise. */
export const ARROWS = {
  right: 0,
  "down-right": 45,
  down: 90,
  "down-left": 135,
  left: 180,
  "up-left": 225,
  up: 270,
  "up-right": 315,
} as const;
export type Arrow = keyof typeof ARROWS;

export interface Wanted {
  /** As it was given. */
  lotId: string;
  /** Whether it can be an id at all. */
  isId: boolean;
  arrow: Arrow | null;
}

export interface Asked {
  lots: Wanted[];
  /** The oldest data that is shown, in seconds; null where the lot's own `data_state` decides. */
  limitS: number | null;
}

/** As many as the stream tells of by name. */
const MOST_LOTS = 50;

/** Read a query; lots named twice are shown once, with the first arrow. */
export function asked(query: string): Asked {
  const parts = new URLSearchParams(query);
  const lots = new Map<string, Wanted>();
  for (const each of (parts.get("lots") ?? "").split(",")) {
    const [lotId = "", direction = ""] = each.trim().split(":");
    if (lotId === "" || lots.has(lotId)) continue;
    const isId = /^[a-z0-9._-]{1,64}$/.test(lotId);
    lots.set(lotId, { lotId, isId, arrow: isArrow(direction) ? direction : null });
  }
  const limitS = Number(parts.get("limit") ?? NaN);
  return { lots: [...lots.values()].slice(0, MOST_LOTS), limitS: limitS > 0 ? limitS : null };
}

function isArrow(text: string): text is Arrow {
  return text in ARROWS;
}
