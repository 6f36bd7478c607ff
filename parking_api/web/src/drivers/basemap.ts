/**
 * The map below the lots, where the platform has one set (`WEB_BASEMAP`), and its coordinates.
 *
 * The page knows places in WGS 84; what goes onto the map, and what comes from it, goes through
 * `toMap` and `fromMap`.
 */
import type { FeatureCollection, Geometry, Position } from "geojson";
import type { Map as LibreMap, StyleSpecification } from "maplibre-gl";
import { fromGcj02, toGcj02, type At } from "../coordinates";

const meta = document.querySelector<HTMLMetaElement>('meta[name="basemap"]');
const isGcj02 = meta?.dataset.system === "gcj02";
const MOST_TILE_ZOOM = 18;

export function toMap(place: readonly number[]): At {
  const [lon = 0, lat = 0] = place;
  return isGcj02 ? toGcj02([lon, lat]) : [lon, lat];
}

export function fromMap(place: readonly number[]): At {
  const [lon = 0, lat = 0] = place;
  return isGcj02 ? fromGcj02([lon, lat]) : [lon, lat];
}

/** Polygons, or other shapes, as they lie on the map. */
export function placed<G extends Geometry, P>(
  given: FeatureCollection<G, P>,
): FeatureCollection<G, P> {
  if (!isGcj02) return given;
  const features = given.features.map((feature) => ({
    ...feature,
    geometry: {
      ...feature.geometry,
      ...("coordinates" in feature.geometry && {
        coordinates: positions(feature.geometry.coordinates),
      }),
    },
  }));
  return { ...given, features };
}

type Positions = Position | Positions[];

function positions(given: Positions): Positions {
  const [first] = given;
  return typeof first === "number"
    ? toMap(given as Position)
    : (given as Positions[]).map(positions);
}

/**
 * Lay the basemap below a layer of the map, if there is one and it can be had.
 *
 * Its own names are written in the fonts of this device, as the page's are: fonts of its host would
 * have to hold the page's names too.
 *
 * @param below - the layer
 * @returns whether it is there
 */
export async function underlay(map: LibreMap, below: string): Promise<boolean> {
  if (meta === null) return false;
  const style = await styleOf(meta.content);
  if (style === null) return false;
  if (typeof style.sprite === "string") map.setSprite(style.sprite);
  else for (const { id, url } of style.sprite ?? []) map.addSprite(id, url);
  for (const [name, source] of Object.entries(style.sources)) {
    map.addSource(`basemap-${name}`, source);
  }
  for (const layer of style.layers) {
    const source = "source" in layer ? { source: `basemap-${layer.source}` } : {};
    map.addLayer({ ...layer, ...source, id: `basemap-${layer.id}` }, below);
  }
  return true;
}

async function styleOf(address: string): Promise<StyleSpecification | null> {
  if (address.includes("{z}")) return tiles(address);
  try {
    const answer = await fetch(address, { credentials: "omit" });
    return answer.ok ? ((await answer.json()) as StyleSpecification) : null;
  } catch {
    return null;
  }
}

/** A style of raster tiles alone. */
function tiles(address: string): StyleSpecification {
  return {
    version: 8,
    sources: {
      tiles: { type: "raster", tiles: [address], tileSize: 256, maxzoom: MOST_TILE_ZOOM },
    },
    layers: [{ id: "tiles", type: "raster", source: "tiles" }],
  };
}
