/** A map of troubles alone: the city's ground, and the lots that are silent or old. */
import type { Position } from "geojson";
import { useMemo, useState } from "preact/hooks";
import type { Box, City, Ground, LotState } from "../city";
import { useWords } from "../language";
import { useStore } from "../store";
import { troubles } from "./troubles";

const WIDTH = 1000;
const STEPS: Partial<Record<string, 1 | -1>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** A lot, and the gateway that reports for it. */
export interface Chosen {
  gatewayId: string;
  lotId?: string;
}

interface Props {
  city: City;
  /** The gateway that is looked at: its lots stand out. */
  gatewayId: string | null;
  onChoose: (chosen: Chosen) => void;
}

export function TroubleMap({ city, gatewayId, onChoose }: Props) {
  const { t } = useWords();
  const ground = useStore(city.ground);
  const box = useStore(city.box);
  const lots = useStore(city.lots);
  const found = useStore(troubles);
  const drawn = useMemo(() => {
    if (ground === null || box === null) return null;
    const [place, height] = projection(box);
    return { place, height, outline: outline(ground, place) };
  }, [ground, box]);
  const gateways = useMemo(
    () =>
      new Map(
        found?.feeds.flatMap((feed) => feed.lots_not_live.map((id) => [id, feed.gateway_id])),
      ),
    [found],
  );
  if (drawn === null) return <div class="map" role="status" aria-label={t.loading} />;
  // The silent ones are drawn last, over the others.
  const wrong = [...lots.values()]
    .filter(({ data_state: of }) => of === "unknown" || of === "stale")
    .sort((one, other) => (one.data_state < other.data_state ? -1 : 1));
  return (
    <svg
      class="map"
      viewBox={`0 0 ${WIDTH} ${drawn.height}`}
      role="group"
      aria-label={t.operations.map}
    >
      <path d={drawn.outline} />
      <Dots {...{ wrong, gateways, city, gatewayId, onChoose }} place={drawn.place} />
    </svg>
  );
}

interface Dotted extends Props {
  wrong: readonly LotState[];
  gateways: ReadonlyMap<string, string>;
  place: Place;
}

/** All dots are one stop of the Tab key; arrows go from one to the next. */
function Dots({ wrong, gateways, place, city, gatewayId, onChoose }: Dotted) {
  const { t, name } = useWords();
  const registered = useStore(city.registered);
  const [present, setPresent] = useState<string | null>(null);
  const leading = wrong.filter(({ lot_id: id }) => gateways.has(id));
  const stop = leading.some(({ lot_id: id }) => id === present) ? present : leading[0]?.lot_id;

  const onKeyDown = (event: KeyboardEvent): void => {
    const dot = event.target as SVGElement;
    const step = STEPS[event.key];
    if (step !== undefined) {
      const dots = [...(dot.parentElement?.querySelectorAll<SVGElement>("[role=button]") ?? [])];
      const next = dots.at((dots.indexOf(dot) + step) % dots.length);
      next?.focus();
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === " ") {
      dot.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      event.preventDefault();
    }
  };

  return (
    <g onKeyDown={onKeyDown}>
      {wrong.map(({ lot_id: id, data_state: state, location }) => {
        const [cx, cy] = place(location.coordinates);
        const gateway = gateways.get(id);
        const shape = { cx, cy, r: 9, class: state };
        if (gateway === undefined) return <circle key={id} {...shape} />;
        const lot = registered.get(id);
        const says = t.operations.dot(lot ? name(lot.name) : id, gateway, state === "unknown");
        return (
          <circle
            key={id}
            {...shape}
            class={gateway === gatewayId ? `${state} chosen` : state}
            role="button"
            tabIndex={id === stop ? 0 : -1}
            aria-label={says}
            onFocus={() => {
              setPresent(id);
            }}
            onClick={() => {
              onChoose({ gatewayId: gateway, lotId: id });
            }}
          >
            <title>{says}</title>
          </circle>
        );
      })}
    </g>
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
