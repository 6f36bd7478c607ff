/** The city as this page knows it: its ground, its lots, and their states as the stream tells them. */
import type { FeatureCollection, MultiPolygon, Polygon, Position } from "geojson";
import { read, type Answer, type Shapes, type Told } from "./client";
import { Store } from "./store";
import { follow, type StateColumns } from "./stream";

export type LotState = Shapes["LotState"];
/** The districts. */
export type Ground = FeatureCollection<Polygon | MultiPolygon, Shapes["DistrictFacts"]>;
/** West, south, east, north, in degrees. */
export type Box = [number, number, number, number];

export interface Link {
  /** `trying` before anything was heard; `gone` after. */
  state: "trying" | "live" | "gone";
  /** When something came last, by this device's clock, ms. */
  heardAt: number | null;
}

const AGAIN_MS = 3_000;
const AGED_EVERY_MS = 10_000;
/** Nobody says any more how old a state may be: then these bounds, the least of any lot, hold. */
const LIVE_S = 90;
const STALE_S = 900;
const MARGIN_DEGREES = 0.05;

export class City {
  readonly ground = new Store<Ground | null>(null);
  readonly box = new Store<Box | null>(null);
  readonly link = new Store<Link>({ state: "trying", heardAt: null });
  /** All lots by their id; a new map each time something has changed. */
  readonly lots = new Store<ReadonlyMap<string, LotState>>(new Map());
  /** What is registered of each lot; empty until it is known, and where it cannot be had. */
  readonly registered = new Store<ReadonlyMap<string, Registered>>(new Map());
  /** The named places, for labels; none until they are known. */
  readonly places = new Store<readonly NamedPlace[]>([]);
  /** Whether the ground could not be had: then nothing can. */
  readonly isAway = new Store(false);
  /** How far the platform's clock is ahead of this device's, in ms. */
  #ahead = 0;
  readonly #states = new Map<string, State>();
  /** Events so far: they make the versions of states. */
  #count = 0;

  /** Load the ground, then follow the lots, until the signal. */
  async open(end: AbortSignal): Promise<void> {
    const ground = await this.#groundUntilThere(end);
    if (ground === null) return;
    const box = boxOf(ground);
    this.ground.set(ground);
    this.box.set(box);
    this.#readPlaces(end).catch(() => undefined);
    // Of what is heard no more nobody says that it has grown old.
    const ageing = setInterval(() => {
      if (this.link.value.state === "gone") this.#tell();
    }, AGED_EVERY_MS);
    end.addEventListener("abort", () => {
      clearInterval(ageing);
    });
    const [west, south, east, north] = box;
    const wide = [
      west - MARGIN_DEGREES,
      south - MARGIN_DEGREES,
      east + MARGIN_DEGREES,
      north + MARGIN_DEGREES,
    ];
    await follow(
      { bbox: wide.map((degrees) => Number(degrees.toFixed(4))).join(","), f: "columns" },
      {
        states: (columns) => {
          if (columns.all) this.#states.clear();
          this.#count += 1;
          for (const state of statesOf(columns, String(this.#count))) {
            this.#states.set(state.lot_id, state);
          }
          // All are told at first, and where the registration has changed.
          if (columns.all) this.#readRegistration(end).catch(() => undefined);
          else this.#tell();
        },
        alive: (platformMs) => {
          if (platformMs !== null) this.#ahead = platformMs - Date.now();
          this.link.set({ state: "live", heardAt: Date.now() });
        },
        gone: () => {
          const { heardAt } = this.link.value;
          this.link.set({ state: heardAt === null ? "trying" : "gone", heardAt });
          this.#tell();
        },
      },
      end,
    );
  }

  /** How old an instant of the platform is at a time of this device, in seconds; 0 at least. */
  age(at: string, nowMs: number): number {
    return Math.max(0, (nowMs + this.#ahead - Date.parse(at)) / 1000);
  }

  async #readRegistration(end: AbortSignal): Promise<void> {
    const answer = await untilAnswered(() => read("/v1/map", {}, end), end);
    if (answer !== null) this.registered.set(registeredOf(answer));
    this.#tell();
  }

  async #readPlaces(end: AbortSignal): Promise<void> {
    const answer = await untilAnswered(() => read("/v1/map/places", {}, end), end);
    if (answer === null) return;
    const { name, lon, lat } = answer;
    this.places.set(
      name.zh.map((zh, nth) => ({
        at: [lon[nth] ?? NaN, lat[nth] ?? NaN],
        name: { zh, en: name.en[nth] ?? zh },
      })),
    );
  }

  /** Tell of the lots as they are now: those whose place is known. */
  #tell(): void {
    const lots = new Map<string, LotState>();
    const isGone = this.link.value.state === "gone";
    const now = Date.now();
    for (const [lotId, state] of this.#states) {
      const at = this.registered.value.get(lotId)?.at;
      if (at !== undefined) {
        const present = isGone ? this.#aged(state, now) : state;
        lots.set(lotId, { ...present, location: { type: "Point", coordinates: at } });
      }
    }
    this.lots.set(lots);
  }

  /**
   * A lot's state as it can be believed at this moment: what the stream has told, or an answer where
   * that is newer.
   */
  present(lotId: string, answered: Present, nowMs: number): Present {
    const told = this.#states.get(lotId);
    const isLive = this.link.value.state === "live";
    // The stream tells whole seconds; of both from one second it is right while it lasts.
    const isOlder =
      told === undefined || timeOf(told) < timeOf(answered) - (isLive ? 1_000 : -1_000);
    const newest = isOlder ? answered : told;
    return isLive ? newest : this.#aged(newest, nowMs);
  }

  /** A state as far as it can be believed while nothing is heard. */
  #aged<T extends Present>(state: T, nowMs: number): T {
    const age = state.observed_at === null ? Infinity : this.age(state.observed_at, nowMs);
    if (age > STALE_S) {
      const status = state.status === "closed" ? "closed" : "unknown";
      return { ...state, status, data_state: "unknown", free_spaces: null };
    }
    return age > LIVE_S && state.data_state === "live" ? { ...state, data_state: "stale" } : state;
  }

  async #groundUntilThere(end: AbortSignal): Promise<Ground | null> {
    const ask = async (): Promise<Told<Answer<"/v1/districts">>> => {
      const answer = await read("/v1/districts", {}, end);
      this.isAway.set(!answer.ok);
      return answer;
    };
    return (await untilAnswered(ask, end)) as unknown as Ground | null;
  }
}

/** Ask again and again; null where the signal came first. */
async function untilAnswered<T>(ask: () => Promise<Told<T>>, end: AbortSignal): Promise<T | null> {
  while (!end.aborted) {
    const answer = await ask();
    if (answer.ok) return answer.value;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return null;
}

/** A place of the city that has a name. */
export interface NamedPlace {
  /** Longitude and latitude. */
  at: [number, number];
  name: { zh: string; en: string };
}

/** What drivers ask about a lot that does not change from day to day. */
export interface Registered {
  /** Longitude and latitude. */
  at: [number, number];
  name: { zh: string; en: string };
  heightLimitM: number | null;
  /** Bays with a charger, and those for people who need room; null where the gates count. */
  chargers: number | null;
  accessible: number | null;
}

function registeredOf({
  lot_id,
  name,
  lon,
  lat,
  height_limit_m,
  bays,
}: Shapes["LotColumns"]): ReadonlyMap<string, Registered> {
  return new Map(
    lot_id.map((lotId, nth) => [
      lotId,
      {
        at: [lon[nth] ?? NaN, lat[nth] ?? NaN],
        name: { zh: name.zh[nth] ?? lotId, en: name.en[nth] ?? lotId },
        heightLimitM: height_limit_m[nth] ?? null,
        chargers: bays.ev[nth] ?? null,
        accessible: bays.accessible[nth] ?? null,
      },
    ]),
  );
}

/** A lot's state as every answer has it. */
export type Present = Pick<
  LotState,
  "status" | "data_state" | "free_spaces" | "capacity" | "observed_at"
> &
  Partial<Pick<LotState, "closed_until" | "closed_reason">>;

function timeOf({ observed_at: at }: Present): number {
  return at === null ? 0 : Date.parse(at);
}

/** What the stream tells of a lot, without its place. */
type State = Omit<LotState, "location">;

function statesOf(columns: StateColumns, version: string): State[] {
  return columns.lot_id.map((lotId, nth) => {
    const second = columns.observed_at[nth] ?? null;
    return {
      lot_id: lotId,
      capacity: columns.capacity[nth] ?? 0,
      free_spaces: columns.free_spaces[nth] ?? null,
      unknown_spaces: columns.unknown_spaces[nth] ?? 0,
      status: columns.status[nth] ?? "unknown",
      data_state: columns.data_state[nth] ?? "unknown",
      observed_at: second === null ? null : new Date(second * 1000).toISOString(),
      version,
      closed_until: columns.closed[lotId]?.closed_until ?? null,
      closed_reason: columns.closed[lotId]?.closed_reason ?? null,
    };
  });
}

/** The box of all corners. */
export function boxOf(ground: Ground): Box {
  const box: Box = [180, 90, -180, -90];
  const rings = ground.features.flatMap(({ geometry }): Position[][] =>
    geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(),
  );
  for (const [lon, lat] of rings.flat()) {
    if (lon === undefined || lat === undefined) continue;
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return box;
}

/** How a lot looks on a map and in a list: shape and colour follow from this alone. */
export type Look =
  | "free"
  | "filling"
  | "full"
  | "stale-free"
  | "stale-filling"
  | "stale-full"
  | "unknown"
  | "closed";

/** Under this share of free spaces a lot is filling up. */
const FILLING = 0.15;

export function lookOf(
  lot: Pick<LotState, "status" | "data_state" | "free_spaces" | "capacity">,
): Look {
  if (lot.status === "closed") return "closed";
  if (lot.free_spaces === null || lot.status === "unknown") return "unknown";
  const share = lot.free_spaces / Math.max(1, lot.capacity);
  const look = lot.free_spaces === 0 ? "full" : share < FILLING ? "filling" : "free";
  return lot.data_state === "stale" ? `stale-${look}` : look;
}
