/** The map: the ground, lots and their sums, what was chosen. Loaded apart, since it is large. */
import type { Feature, FeatureCollection, Point } from "geojson";
import * as maplibregl from "maplibre-gl";
import { read } from "../client";
import { lookOf, type City, type LotState } from "../city";
import { language, words } from "../language";
import { Store } from "../store";
import { ask, asked } from "./asking";
import { fromMap, placed, toMap, underlay } from "./basemap";
import type { Bays } from "./bays";
import { labels, zones } from "./labels";
import { BAYS_ZOOM, FIRST_ABOVE, layers, NO_FEATURES, repaint, ZONES_ZOOM } from "./layers";
import { colours, draw, MARKS, PIXEL_RATIO } from "./marks";
import { shownMarks, type ShownMark } from "./shown";

const CLOSE_ZOOM = 15;
const PANEL_PX = 424;
const DESK_PX = 800;
/** A click that hits nothing looks so far around for a mark, for fingers. */
const FINGER_PX = 6;
const NEAR_M = 100;
/** Around a place that is asked about, so many lots are in sight, if they are within 2 km. */
const NEAREST_IN_SIGHT = 2;
const NEARBY_M = 2_000;
const MARK_MARGIN_PX = 24;
const EQUATOR_M = 40_075_017;
const TILE_PX = 512;

maplibregl.setWorkerUrl(
  new URL(document.documentElement.dataset.worker ?? "", document.baseURI).href,
);

export class CityMap {
  /** The marks that are shown where nothing covers the map; as they were while it moves. */
  readonly shown = new Store<readonly ShownMark[]>([]);
  readonly #map: maplibregl.Map;
  readonly #city: City;
  readonly #bays: Bays;
  readonly #stops: (() => void)[] = [];
  readonly #end = new AbortController();
  #hasZones = false;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");

  /**
   * Show the map in an element.
   *
   * @throws where the browser has no WebGL
   */
  constructor(element: HTMLElement, city: City, bays: Bays) {
    this.#city = city;
    this.#bays = bays;
    const of = colours();
    this.#map = new maplibregl.Map({
      container: element,
      style: { version: 8, sources: {}, layers: [] },
      center: [120.38, 36.1],
      zoom: 9,
      attributionControl: false,
      // Marks change all day: they are not to fade in each time.
      fadeDuration: 0,
      dragRotate: false,
      pitchWithRotate: false,
      locale: {
        "Map.Title": words(language.value).t.map,
        "NavigationControl.ZoomIn": words(language.value).t.zoomIn,
        "NavigationControl.ZoomOut": words(language.value).t.zoomOut,
      },
      maxZoom: 19,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
    this.#map.on("load", () => {
      for (const mark of MARKS) {
        this.#map.addImage(mark, draw(mark, of), { pixelRatio: PIXEL_RATIO });
      }
      this.#map.addSource("ground", { type: "geojson", data: NO_FEATURES });
      this.#map.addSource("labels", { type: "geojson", data: NO_FEATURES });
      this.#map.addSource("zones", { type: "geojson", data: NO_FEATURES });
      this.#map.addSource("places", { type: "geojson", data: NO_FEATURES });
      this.#map.addSource("lots", {
        type: "geojson",
        data: NO_FEATURES,
        cluster: true,
        clusterRadius: 56,
        clusterMaxZoom: 13,
        clusterProperties: {
          free: ["+", ["get", "free"]],
          known: ["+", ["get", "known"]],
          lots: ["+", 1],
        },
      });
      this.#map.addSource("bays", { type: "geojson", data: NO_FEATURES });
      this.#map.addSource("chosen", { type: "geojson", data: NO_FEATURES });
      for (const layer of layers(of, words(language.value))) this.#map.addLayer(layer);
      void underlay(this.#map, FIRST_ABOVE).then((isThere) => {
        // It has names of its own.
        if (!isThere) return;
        for (const layer of ["districts", "places"]) {
          this.#map.setLayoutProperty(layer, "visibility", "none");
        }
      });
      this.#follow();
      this.#map.on("movestart", () => {
        delete element.dataset.marks;
      });
      // What is shown, and where: for who cannot see it, such as a test.
      this.#map.on("idle", () => {
        const { lng, lat } = this.#map.getCenter();
        element.dataset.middle = `${lng.toFixed(5)},${lat.toFixed(5)}`;
        const count = (...shown: string[]): string =>
          String(this.#map.queryRenderedFeatures({ layers: shown }).length);
        element.dataset.marks = count("lots", "sums");
        const bays = this.#map.queryRenderedFeatures({ layers: ["bays"] });
        element.dataset.bays = String(bays.length);
        element.dataset.freeBays = String(
          bays.filter(({ properties }) => properties.state === "free").length,
        );
        element.dataset.places = count("places");
        element.dataset.zones = count("zones");
        this.shown.set(shownMarks(this.#map, this.#inSight()));
      });
    });
  }

  remove(): void {
    this.#end.abort();
    for (const stop of this.#stops) stop();
    this.#map.remove();
  }

  #follow(): void {
    const { ground, box, lots, places } = this.#city;
    const onPlaces = (): void => {
      const labels = places.value.map(({ at, name }) => point(at, name));
      void this.#source("places").setData({ type: "FeatureCollection", features: labels });
    };
    const onGround = (): void => {
      if (ground.value === null) return;
      void this.#source("ground").setData(placed(ground.value));
      void this.#source("labels").setData(placed(labels(ground.value)));
    };
    let isFirst = true;
    let hasLots = false;
    const onLots = (): void => {
      void this.#source("lots").setData(features(lots.value));
      this.#choose();
      this.#lookAtBays();
      // Where a lot was asked for is known only now.
      if (!hasLots && lots.value.size > 0) {
        hasLots = true;
        if (asked.value.lotId !== null || asked.value.place !== null) this.#look(true);
      }
    };
    const onAsked = (): void => {
      this.#choose();
      this.#look(isFirst);
      isFirst = false;
    };
    const onColours = (): void => {
      const of = colours();
      for (const mark of MARKS) this.#map.updateImage(mark, draw(mark, of));
      repaint(this.#map, of, words(language.value));
    };
    const onLanguage = (): void => {
      onColours();
      const { t } = words(language.value);
      const named = [
        ["canvas", t.map],
        [".maplibregl-ctrl-zoom-in", t.zoomIn],
        [".maplibregl-ctrl-zoom-out", t.zoomOut],
      ] as const;
      for (const [what, name] of named) {
        const part = this.#map.getContainer().querySelector<HTMLElement>(what);
        part?.setAttribute("aria-label", name);
        if (part?.hasAttribute("title")) part.title = name;
      }
    };
    this.#dark.addEventListener("change", onColours);
    this.#stops.push(
      ground.listen(onGround),
      places.listen(onPlaces),
      lots.listen(onLots),
      box.listen(() => {
        this.#look(true);
      }),
      asked.listen(onAsked),
      language.listen(onLanguage),
      () => {
        this.#dark.removeEventListener("change", onColours);
      },
    );
    const onBays = (): void => {
      void this.#source("bays").setData(placed(this.#bays.features(this.#lotsInSight())));
    };
    this.#stops.push(this.#bays.known.listen(onBays), this.#bays.levels.listen(onBays));
    this.#map.on("moveend", () => {
      void this.#readZones();
      onBays();
      this.#lookAtBays();
    });
    void this.#readZones();
    onGround();
    onPlaces();
    onLots();
    onAsked();
    this.#map.on("click", (event) => {
      void this.#onClick(event);
    });
    for (const layer of ["lots", "sums"]) {
      this.#map.on("mouseenter", layer, () => {
        this.#map.getCanvas().style.cursor = "pointer";
      });
      this.#map.on("mouseleave", layer, () => {
        this.#map.getCanvas().style.cursor = "";
      });
    }
  }

  async #onClick({ point, lngLat }: maplibregl.MapMouseEvent): Promise<void> {
    const around: [maplibregl.PointLike, maplibregl.PointLike] = [
      [point.x - FINGER_PX, point.y - FINGER_PX],
      [point.x + FINGER_PX, point.y + FINGER_PX],
    ];
    const [hit] = this.#map.queryRenderedFeatures(around, { layers: ["lots", "sums"] });
    if (hit === undefined) {
      const { lng, lat } = lngLat.wrap();
      const [lon, north] = fromMap([lng, lat]);
      ask({ place: { kind: "point", lon, lat: north, name: null }, lotId: null });
      return;
    }
    const { id, cluster_id } = hit.properties as { id?: string; cluster_id?: number };
    const [lng = 0, lat = 0] = (hit.geometry as Point).coordinates;
    await this.open({ lotId: id ?? null, clusterId: cluster_id ?? null, at: [lng, lat] });
  }

  /** Choose the lot of a mark, or come so close that a sum shows its parts. */
  async open({
    lotId,
    clusterId,
    at,
  }: Pick<ShownMark, "lotId" | "clusterId" | "at">): Promise<void> {
    if (lotId !== null) {
      ask({ lotId });
    } else if (clusterId !== null) {
      const zoom = await this.#source("lots").getClusterExpansionZoom(clusterId);
      this.#map.easeTo({ center: at, zoom, padding: this.#padding() });
    }
  }

  /** Read the zones when they are first to be shown: many only look at the whole city. */
  async #readZones(): Promise<void> {
    if (this.#hasZones || this.#map.getZoom() < ZONES_ZOOM) return;
    this.#hasZones = true;
    const answer = await read("/v1/zones", {}, this.#end.signal);
    this.#hasZones = answer.ok;
    if (answer.ok) void this.#source("zones").setData(placed(zones(answer.value)));
  }

  #lookAtBays(): void {
    void this.#bays.look(this.#lotsInSight());
  }

  /** The lots in sight once the map is close, the nearest to its middle first. */
  #lotsInSight(): string[] {
    if (this.#map.getZoom() < BAYS_ZOOM) return [];
    const middle = this.#map.getCenter();
    const bounds = this.#map.getBounds();
    const found: [number, string][] = [];
    for (const lot of this.#city.lots.value.values()) {
      const [lon, lat] = toMap(lot.location.coordinates);
      const far = middle.distanceTo(new maplibregl.LngLat(lon, lat));
      // A large lot is in sight before its middle is.
      if (bounds.contains([lon, lat]) || far < NEAR_M) found.push([far, lot.lot_id]);
    }
    return found.sort(([a], [b]) => a - b).map(([, lotId]) => lotId);
  }

  /** Mark the chosen lot and the place that is asked about. */
  #choose(): void {
    const { place, lotId } = asked.value;
    const lot = lotId === null ? undefined : this.#city.lots.value.get(lotId);
    const chosen: Feature<Point>[] = [];
    if (place !== null) chosen.push(point([place.lon, place.lat], { is: "place" }));
    if (lot !== undefined) chosen.push(point(lot.location.coordinates, { is: "lot" }));
    void this.#source("chosen").setData({ type: "FeatureCollection", features: chosen });
  }

  /** Move so that what is chosen is in sight, or else the city. */
  #look(isFirst: boolean): void {
    const { place, lotId } = asked.value;
    const lot = lotId === null ? undefined : this.#city.lots.value.get(lotId);
    const at = lot?.location.coordinates ?? (place && [place.lon, place.lat]);
    const padding = this.#padding();
    if (at !== null) {
      const close = lot === undefined ? this.#zoomToLots(at, padding) : CLOSE_ZOOM;
      const zoom = isFirst ? close : Math.max(this.#map.getZoom(), close);
      this.#map.easeTo({ center: toMap(at), zoom, padding, duration: isFirst ? 0 : 600 });
    } else if (isFirst && this.#city.box.value !== null) {
      const [west, south, east, north] = this.#city.box.value;
      this.#map.fitBounds([toMap([west, south]), toMap([east, north])], { padding, duration: 0 });
    }
  }

  /** How close the map may come to a place so that the nearest free lots are in sight too. */
  #zoomToLots(place: readonly number[], padding: maplibregl.PaddingOptions): number {
    const at = new maplibregl.LngLat(...toMap(place));
    const far = [...this.#city.lots.value.values()]
      .filter(({ free_spaces, status }) => status === "open" && free_spaces !== null)
      .map((lot) => at.distanceTo(new maplibregl.LngLat(...toMap(lot.location.coordinates))))
      .sort((a, b) => a - b)[NEAREST_IN_SIGHT - 1];
    if (far === undefined || far > NEARBY_M) return CLOSE_ZOOM;
    const { clientWidth, clientHeight } = this.#map.getContainer();
    const { left = 0, right = 0, top = 0, bottom = 0 } = padding;
    const half = Math.min(clientWidth - left - right, clientHeight - top - bottom) / 2;
    const metresAPixel = far / Math.max(1, half - MARK_MARGIN_PX);
    const round = EQUATOR_M * Math.cos((at.lat * Math.PI) / 180);
    return Math.min(CLOSE_ZOOM, Math.log2(round / (TILE_PX * metresAPixel)));
  }

  /** What neither the panel nor the sheet covers. */
  #inSight(): { left: number; top: number; right: number; bottom: number } {
    const { clientWidth, clientHeight } = this.#map.getContainer();
    const { left = 0, top = 0, right = 0, bottom = 0 } = this.#padding();
    return { left, top, right: clientWidth - right, bottom: clientHeight - bottom };
  }

  /** What the panel covers. */
  #padding(): maplibregl.PaddingOptions {
    const { clientWidth, clientHeight } = this.#map.getContainer();
    if (clientWidth >= DESK_PX) return { left: PANEL_PX, top: 0, bottom: 0, right: 0 };
    return { left: 0, right: 0, top: 116, bottom: clientHeight * 0.46 };
  }

  #source(
    name: "ground" | "labels" | "zones" | "places" | "lots" | "bays" | "chosen",
  ): maplibregl.GeoJSONSource {
    const source = this.#map.getSource<maplibregl.GeoJSONSource>(name);
    if (source === undefined) throw new Error(`the map has no ${name}`);
    return source;
  }
}

function features(lots: ReadonlyMap<string, LotState>): FeatureCollection<Point> {
  return {
    type: "FeatureCollection",
    features: [...lots.values()].map((lot) =>
      point(lot.location.coordinates, {
        id: lot.lot_id,
        look: lookOf(lot),
        free: lot.status === "closed" ? 0 : (lot.free_spaces ?? 0),
        known: lot.free_spaces === null ? 0 : 1,
      }),
    ),
  };
}

function point(
  coordinates: readonly number[],
  properties: Record<string, string | number>,
): Feature<Point> {
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: toMap(coordinates) },
    properties,
  };
}
