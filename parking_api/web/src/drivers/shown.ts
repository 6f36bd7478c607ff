/** The marks that a map shows, as things that can be named, reached by keys and opened. */
import type { Point } from "geojson";
import type { Map as LibreMap } from "maplibre-gl";
import type { At } from "../coordinates";

export interface ShownMark {
  /** The same mark has the same key for as long as it is shown. */
  key: string;
  /** Where on the map's element, in CSS pixels. */
  x: number;
  y: number;
  /** Of one lot; null for a sum of lots. */
  lotId: string | null;
  /** Of a sum of lots. */
  clusterId: number | null;
  lots: number;
  /** Free spaces; null where nothing is known of any. */
  free: number | null;
  /** In the map's coordinates. */
  at: At;
}

/** What nothing covers, in CSS pixels of the map's element. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The marks in an area of the map, from above to below. */
export function shownMarks(map: LibreMap, { left, top, right, bottom }: Area): ShownMark[] {
  const found = new Map<string, ShownMark>();
  const area: [[number, number], [number, number]] = [
    [left, top],
    [right, bottom],
  ];
  for (const { layer, properties, geometry } of map.queryRenderedFeatures(area, {
    layers: ["lots", "sums"],
  })) {
    const isLot = layer.id === "lots";
    const [lon = 0, lat = 0] = (geometry as Point).coordinates;
    const { x, y } = map.project([lon, lat]);
    if (x < left || x > right || y < top || y > bottom) continue;
    const key = isLot ? `lot ${String(properties.id)}` : `sum ${String(properties.cluster_id)}`;
    found.set(key, {
      key,
      x,
      y,
      lotId: isLot ? String(properties.id) : null,
      clusterId: isLot ? null : Number(properties.cluster_id),
      lots: isLot ? 1 : Number(properties.lots),
      free: Number(properties.known) === 0 ? null : Number(properties.free),
      at: [lon, lat],
    });
  }
  return [...found.values()].sort((a, b) => a.y - b.y || a.x - b.x);
}

const AWAY = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
} as const;
export type Arrow = keyof typeof AWAY;

export function isArrow(key: string): key is Arrow {
  return key in AWAY;
}

/** The next mark from another in the direction of an arrow: what lies aside counts as farther. */
export function nextMark(
  marks: readonly ShownMark[],
  from: ShownMark,
  arrow: Arrow,
): ShownMark | null {
  const [dx, dy] = AWAY[arrow];
  let best: ShownMark | null = null;
  let least = Infinity;
  for (const mark of marks) {
    const [x, y] = [mark.x - from.x, mark.y - from.y];
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy) + Math.abs(y * dx);
    if (mark.key === from.key || ahead <= 0 || aside > 2 * ahead) continue;
    const far = ahead + 2 * aside;
    if (far < least) [best, least] = [mark, far];
  }
  return best;
}
