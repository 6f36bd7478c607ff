/** The city as this page knows it: its ground, its lots, and their states as the stream tells them. */
import type { FeatureCollection, MultiPolygon, Polygon, Position } from "geojson";
import { read, type Shapes } from "./client";
import { Store } from "./store";
import { follow } from "./stream";

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

/** Several lots change at once: who looks is told so often at most. */
const TELL_EVERY_MS = 500;
const MARGIN_DEGREES = 0.05;

export class City {
  readonly ground = new Store<Ground | null>(null);
  readonly box = new Store<Box | null>(null);
  readonly link = new Store<Link>({ state: "trying", heardAt: null });
  /** All lots by their id; a new map each time something has changed. */
  readonly lots = new Store<ReadonlyMap<string, LotState>>(new Map());
  /** What is registered of each lot; empty until it is known, and where it cannot be had. */
  readonly registered = new Store<ReadonlyMap<string, Registered>>(new Map());
  /** Whether the ground could not be had: then nothing can. */
  readonly isAway = new Store(false);
  /** How far the platform's clock is ahead of this device's, in ms. */
  #ahead = 0;
  #next = new Map<string, LotState>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Load the ground, then follow the lots, until the signal. */
  async open(end: AbortSignal): Promise<void> {
    const ground = await this.#groundUntilThere(end);
    if (ground === null) return;
    const box = boxOf(ground);
    this.ground.set(ground);
    this.box.set(box);
    const [west, south, east, north] = box;
    const wide = [
      west - MARGIN_DEGREES,
      south - MARGIN_DEGREES,
      east + MARGIN_DEGREES,
      north + MARGIN_DEGREES,
    ];
    await follow(
      { bbox: wide.map((degrees) => Number(degrees.toFixed(4))).join(",") },
      {
        lots: ({ lots }) => {
          this.#next = new Map(lots.map((lot) => [lot.lot_id, lot]));
          this.#tell();
          // All are told at first, and where the registration has changed.
          this.#readRegistration(end).catch(() => undefined);
        },
        lot: (lot) => {
          this.#next.set(lot.lot_id, lot);
          this.#timer ??= setTimeout(() => {
            this.#tell();
          }, TELL_EVERY_MS);
        },
        alive: (platformMs) => {
          if (platformMs !== null) this.#ahead = platformMs - Date.now();
          this.link.set({ state: "live", heardAt: Date.now() });
        },
        gone: () => {
          const { heardAt } = this.link.value;
          this.link.set({ state: heardAt === null ? "trying" : "gone", heardAt });
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
    const answer = await read("/v1/map", {}, end);
    if (answer.ok) this.registered.set(registeredOf(answer.value));
  }

  #tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.lots.set(new Map(this.#next));
  }

  async #groundUntilThere(end: AbortSignal): Promise<Ground | null> {
    while (!end.aborted) {
      const answer = await read("/v1/districts", {}, end);
      if (answer.ok) {
        this.isAway.set(false);
        return answer.value as unknown as Ground;
      }
      this.isAway.set(true);
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    }
    return null;
  }
}

/** What drivers ask about a lot that does not change from day to day. */
export interface Registered {
  heightLimitM: number | null;
  /** Bays with a charger, and those for people who need room; null where the gates count. */
  chargers: number | null;
  accessible: number | null;
}

function registeredOf({
  lot_id,
  height_limit_m,
  bays,
}: Shapes["LotColumns"]): ReadonlyMap<string, Registered> {
  return new Map(
    lot_id.map((lotId, nth) => [
      lotId,
      {
        heightLimitM: height_limit_m[nth] ?? null,
        chargers: bays.ev[nth] ?? null,
        accessible: bays.accessible[nth] ?? null,
      },
    ]),
  );
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
