/** Where the names of districts stand on the map, and what zones are called. */
import type { Feature, FeatureCollection, Point, Position } from "geojson";
import type { Ground } from "../city";
import type { Answer } from "../client";

/** A point with its names for each district: in the middle of its largest piece. */
export function labels(ground: Ground): FeatureCollection<Point> {
  const features = ground.features.map(({ geometry, properties }): Feature<Point> => {
    const pieces = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    const outlines = pieces.map(([outline = []]) => middleOf(outline));
    const largest = outlines.reduce((one, other) => (other.area > one.area ? other : one));
    const { zh, en } = properties.name;
    return {
      type: "Feature",
      geometry: { type: "Point", coordinates: largest.middle },
      properties: { zh, en },
    };
  });
  return { type: "FeatureCollection", features };
}

/** The centroid of a closed ring and its area, in degrees: near enough for a label. */
function middleOf(ring: readonly Position[]): { middle: Position; area: number } {
  // From its first corner: areas of far smaller than the coordinates would lose their digits.
  const [x0 = 0, y0 = 0] = ring[0] ?? [];
  let twice = 0;
  let x = 0;
  let y = 0;
  for (let index = 0; index + 1 < ring.length; index += 1) {
    const [ax = 0, ay = 0] = ring[index] ?? [];
    const [bx = 0, by = 0] = ring[index + 1] ?? [];
    const cross = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0);
    twice += cross;
    x += (ax + bx - 2 * x0) * cross;
    y += (ay + by - 2 * y0) * cross;
  }
  const middle = twice === 0 ? [x0, y0] : [x0 + x / (3 * twice), y0 + y / (3 * twice)];
  return { middle, area: Math.abs(twice) / 2 };
}

/** The ground of each tariff zone, with its names. */
export function zones({ features }: Answer<"/v1/zones">): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: features.map(({ geometry, properties }) => ({
      type: "Feature",
      geometry: geometry as unknown as Feature["geometry"],
      properties: { zh: properties.name.zh, en: properties.name.en },
    })),
  };
}
