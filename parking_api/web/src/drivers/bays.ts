/** Single bays of the lots in sight, when the map is close: where each lies, its class and state. */
import type { Feature, FeatureCollection, Polygon } from "geojson";
import type { City } from "../city";
import { read, type Shapes } from "../client";
import { Store } from "../store";

export type Bay = Shapes["LotSpace"];

/** Of so many lots at most, those nearest to the middle of the map. */
const MOST_LOTS = 4;
/** A bay is drawn a little smaller than it is painted on the ground. */
const WIDE_M = 2.2;
const LONG_M = 4.6;
/** Whose middles are farther apart do not lie side by side. */
const BESIDE_M = 3.5;
const METRES_A_DEGREE = 111_320;

interface Known {
  /** The lot's version when this was asked. */
  version: string | null;
  bays: readonly Bay[];
}

export class Bays {
  /** Bays by their lot; a new map with each answer. */
  readonly known = new Store<ReadonlyMap<string, Known>>(new Map());
  /** The level that is shown of a lot, where one was chosen. */
  readonly levels = new Store<ReadonlyMap<string, number>>(new Map());
  readonly #city: City;
  readonly #asking = new Set<string>();

  constructor(city: City) {
    this.#city = city;
  }

  /** Ask for the bays of some lots, those that have not changed since left out. */
  async look(lotIds: readonly string[]): Promise<void> {
    await Promise.all(lotIds.slice(0, MOST_LOTS).map((lotId) => this.#lookAt(lotId)));
  }

  async #lookAt(lotId: string): Promise<void> {
    const version = this.#city.lots.value.get(lotId)?.version ?? null;
    const known = this.known.value.get(lotId);
    if (this.#asking.has(lotId) || known?.version === version) return;
    this.#asking.add(lotId);
    const bays = await (known === undefined ? allOf(lotId) : presentOf(lotId, known.bays));
    this.#asking.delete(lotId);
    if (bays === null) return;
    const next = new Map(this.known.value);
    this.known.set(next.set(lotId, { version, bays }));
  }

  show(lotId: string, level: number): void {
    this.levels.set(new Map(this.levels.value).set(lotId, level));
  }

  /** The levels of a lot, from above to below. */
  levelsOf(lotId: string): number[] {
    const bays = this.known.value.get(lotId)?.bays ?? [];
    return [...new Set(bays.map(({ level }) => level))].sort((a, b) => b - a);
  }

  /** The level of a lot that is shown: the one that was chosen, or the uppermost. */
  levelOf(lotId: string): number {
    return this.levels.value.get(lotId) ?? this.levelsOf(lotId)[0] ?? 0;
  }

  /** The bays of some lots as rectangles, those of one level of each. */
  features(lotIds: readonly string[]): FeatureCollection<Polygon> {
    const features = lotIds.flatMap((lotId) => {
      const level = this.levelOf(lotId);
      const bays = this.known.value.get(lotId)?.bays ?? [];
      return rectangles(bays.filter((bay) => bay.level === level));
    });
    return { type: "FeatureCollection", features };
  }
}

/** The bays of a lot, each with its state. */
async function allOf(lotId: string): Promise<readonly Bay[] | null> {
  const answer = await read("/v1/lots/{lot_id}/spaces", { path: { lot_id: lotId } });
  return answer.ok && "items" in answer.value ? answer.value.items : null;
}

/** The bays of a lot that are known, in their present states. */
async function presentOf(lotId: string, bays: readonly Bay[]): Promise<readonly Bay[] | null> {
  const question = { path: { lot_id: lotId }, query: { f: "bits" as const } };
  const answer = await read("/v1/lots/{lot_id}/spaces", question);
  if (!answer.ok || !("free" in answer.value)) return null;
  const { free, unknown } = answer.value;
  if (free === null || unknown === null) return bays.map((bay) => ({ ...bay, state: "unknown" }));
  const [isFree, isUnknown] = [bitmap(free), bitmap(unknown)];
  const stateOf = (number: number): Bay["state"] => {
    if (isFree(number)) return "free";
    return isUnknown(number) ? "unknown" : "occupied";
  };
  return bays.map((bay) => ({ ...bay, state: stateOf(bay.number) }));
}

/** Whether a bay has its bit in a bitmap: bay n is bit n-1, the least of the first byte being 0. */
function bitmap(base64: string): (number: number) => boolean {
  const bytes = atob(base64);
  return (number) => ((bytes.charCodeAt((number - 1) >> 3) >> ((number - 1) & 7)) & 1) === 1;
}

/** Bays as rectangles, each turned so that it stands across its row. */
export function rectangles(bays: readonly Bay[]): Feature<Polygon>[] {
  return bays.map((bay, index) => {
    const [lon, lat] = bay.location.coordinates;
    const east = METRES_A_DEGREE * Math.cos((lat * Math.PI) / 180);
    const [x, y] = alongRow(bay, [bays[index + 1], bays[index - 1]], east);
    const corner = (along: number, across: number): [number, number] => [
      lon + (along * x * WIDE_M - across * y * LONG_M) / 2 / east,
      lat + (along * y * WIDE_M + across * x * LONG_M) / 2 / METRES_A_DEGREE,
    ];
    const first = corner(-1, -1);
    const ring = [first, corner(1, -1), corner(1, 1), corner(-1, 1), first];
    return {
      type: "Feature",
      geometry: { type: "Polygon", coordinates: [ring] },
      properties: { state: bay.state, space_class: bay.space_class, number: bay.number },
    };
  });
}

/** A step of length 1, in metres, along a bay's row: to a neighbour by number that lies beside it. */
function alongRow(
  bay: Bay,
  neighbours: readonly (Bay | undefined)[],
  east: number,
): [number, number] {
  const [lon, lat] = bay.location.coordinates;
  for (const other of neighbours) {
    if (other === undefined) continue;
    const [otherLon, otherLat] = other.location.coordinates;
    const x = (otherLon - lon) * east;
    const y = (otherLat - lat) * METRES_A_DEGREE;
    const far = Math.hypot(x, y);
    if (far > 0 && far < BESIDE_M) return [x / far, y / far];
  }
  return [1, 0];
}
