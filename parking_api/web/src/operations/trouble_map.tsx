/** A map of troubles alone: the city's ground, and the lots that are silent or old. */
import type { Position } from "geojson";
import type { Box, City, Ground } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";

const WIDTH = 1000;

export function TroubleMap({ city }: { city: City }) {
  const { t } = useWords();
  const ground = useStore(city.ground);
  const box = useStore(city.box);
  const lots = useStore(city.lots);
  if (ground === null || box === null) {
    return <div class="map" role="status" aria-label={t.loading} />;
  }
  const [place, height] = projection(box);
  const wrong = [...lots.values()].filter(
    ({ data_state: of }) => of === "unknown" || of === "stale",
  );
  return (
    <svg class="map" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t.operations.map}>
      <path d={outline(ground, place)} />
      {wrong.map((lot) => {
        const [x, y] = place(lot.location.coordinates);
        return <circle key={lot.lot_id} class={lot.data_state} cx={x} cy={y} r="7" />;
      })}
    </svg>
  );
}

type Place = (at: Position) => [number, number];

function projection([west, south, east, north]: Box): [Place, number] {
  const scale = WIDTH / (east - west);
  // Degrees of longitude are shorter than those of latitude.
  const tall = scale / Math.cos((((south + north) / 2) * Math.PI) / 180);
  const place: Place = ([lon = 0, lat = 0]) => [
    Math.round((lon - west) * scale),
    Math.round((north - lat) * tall),
  ];
  return [place, Math.round((north - south) * tall)];
}

function outline({ features }: Ground, place: Place): string {
  return features
    .flatMap(({ geometry }) =>
      geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat(),
    )
    .map((ring) => `M${ring.map((at) => place(at).join(" ")).join("L")}Z`)
    .join("");
}
