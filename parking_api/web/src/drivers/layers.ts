/** What the map shows, from below to above, in the colours and the language of the page. */
import type { FeatureCollection } from "geojson";
import type { ExpressionSpecification, LayerSpecification, Map as LibreMap } from "maplibre-gl";
import type { Words } from "../language";
import { MARK_PX, type Colours } from "./marks";

export const NO_FEATURES: FeatureCollection = { type: "FeatureCollection", features: [] };
/** Sizes of marks go by the square root of free spaces, and end at so many. */
const LEAST_PX = 28;
const MOST_FREE = 500;
const SUM_PX = 52;
/** The first layer that lies above every ground. */
export const FIRST_ABOVE = "districts";
/** From here on the borders of tariff zones are shown. */
export const ZONES_ZOOM = 11;
/** From here on single bays are shown. */
export const BAYS_ZOOM = 17;

/** A size in CSS pixels, as a factor of the picture. */
const sizeOfMark: ExpressionSpecification = [
  "/",
  [
    "+",
    LEAST_PX,
    ["*", MARK_PX - LEAST_PX, ["sqrt", ["min", 1, ["/", ["get", "free"], MOST_FREE]]]],
  ],
  MARK_PX,
];
const isUnknown: ExpressionSpecification = ["==", ["get", "known"], 0];
const isSum: ExpressionSpecification = ["has", "point_count"];
const hasFigure: ExpressionSpecification = [
  "in",
  ["get", "look"],
  ["literal", ["free", "filling", "full", "stale-free", "stale-filling", "stale-full"]],
];

export function layers(of: Colours, { language }: Words): LayerSpecification[] {
  // As the texts say it: 1.2万, 12.3k.
  const [unit, word]: [number, string] = language === "zh" ? [10_000, "万"] : [1_000, "k"];
  const free: ExpressionSpecification = ["get", "free"];
  const sum: ExpressionSpecification = [
    "case",
    // Where nothing is known of any: never 0.
    isUnknown,
    "–",
    ["<", free, 10_000],
    ["to-string", free],
    ["concat", ["number-format", ["/", free, unit], { "max-fraction-digits": 1 }], word],
  ];
  const lots: ExpressionSpecification =
    language === "zh" ? ["concat", ["get", "lots"], " 场"] : ["concat", ["get", "lots"], " lots"];
  return [
    { id: "sea", type: "background", paint: { "background-color": of.sea } },
    {
      id: "land",
      type: "fill",
      source: "ground",
      paint: { "fill-color": of.land, "fill-antialias": false },
    },
    {
      id: "borders",
      type: "line",
      source: "ground",
      paint: { "line-color": of.border, "line-width": 1 },
    },
    {
      id: "zones",
      type: "line",
      source: "zones",
      minzoom: ZONES_ZOOM,
      paint: { "line-color": of.accent, "line-opacity": 0.5, "line-dasharray": [4, 3] },
    },
    {
      id: "districts",
      type: "symbol",
      source: "labels",
      maxzoom: 13,
      layout: {
        "text-field": ["get", language],
        "text-font": ["sans-serif"],
        "text-size": 14,
        "text-letter-spacing": 0.1,
        // A name that has no room in its place is left out: beside it, it would name another.
      },
      paint: { "text-color": of.soft, "text-halo-color": of.land, "text-halo-width": 2 },
    },
    {
      id: "places",
      type: "symbol",
      source: "places",
      minzoom: 12,
      layout: {
        "text-field": ["get", language],
        "text-font": ["sans-serif"],
        "text-size": 12,
        "text-max-width": 8,
        // Beside its place, which may be the one that is asked about.
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        "text-radial-offset": 1,
      },
      paint: { "text-color": of.soft, "text-halo-color": of.land, "text-halo-width": 1.5 },
    },
    {
      id: "zone-names",
      type: "symbol",
      source: "zones",
      minzoom: ZONES_ZOOM,
      layout: {
        "symbol-placement": "line",
        "text-field": ["get", language],
        "text-font": ["sans-serif"],
        "text-size": 12,
        "text-offset": [0, 0.8],
      },
      paint: { "text-color": of.accent, "text-halo-color": of.land, "text-halo-width": 1.5 },
    },
    {
      id: "bays",
      type: "fill",
      source: "bays",
      minzoom: BAYS_ZOOM,
      // Free ones are filled; those that are taken are hollow, and of the others nothing is known.
      paint: {
        "fill-color": ["match", ["get", "state"], "free", of.free, "occupied", of.land, of.paper],
        "fill-opacity": ["match", ["get", "state"], "unknown", 0.4, 1],
      },
    },
    {
      id: "bay-outlines",
      type: "line",
      source: "bays",
      minzoom: BAYS_ZOOM,
      filter: ["!=", ["get", "state"], "unknown"],
      paint: {
        "line-color": ["match", ["get", "state"], "free", of.paper, of.soft],
        "line-width": 1.5,
      },
    },
    {
      id: "bays-unknown",
      type: "line",
      source: "bays",
      minzoom: BAYS_ZOOM,
      filter: ["==", ["get", "state"], "unknown"],
      paint: { "line-color": of.soft, "line-width": 1.5, "line-dasharray": [2, 2] },
    },
    {
      id: "bay-classes",
      type: "symbol",
      source: "bays",
      minzoom: BAYS_ZOOM,
      filter: ["!=", ["get", "space_class"], "standard"],
      layout: {
        "text-field": [
          "match",
          ["get", "space_class"],
          "accessible",
          "♿",
          "ev",
          "⚡",
          language === "zh" ? "大" : "L",
        ],
        "text-font": ["sans-serif"],
        "text-size": 12,
        "text-allow-overlap": true,
      },
      paint: { "text-color": ["match", ["get", "state"], "free", of["on-free"], of.soft] },
    },
    {
      id: "chosen",
      type: "circle",
      source: "chosen",
      filter: ["==", ["get", "is"], "lot"],
      paint: {
        "circle-radius": 30,
        "circle-color": of.accent,
        "circle-opacity": 0.25,
        "circle-stroke-width": 3,
        "circle-stroke-color": of.accent,
      },
    },
    {
      id: "lots",
      type: "symbol",
      source: "lots",
      filter: ["!", isSum],
      layout: {
        "icon-image": ["get", "look"],
        "icon-size": sizeOfMark,
        "icon-allow-overlap": true,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
        "text-field": ["case", hasFigure, ["to-string", free], ""],
        "text-font": ["sans-serif"],
        "text-size": ["step", free, 11, 100, 12, MOST_FREE, 13],
        // The fuller of two that overlap lies below.
        "symbol-sort-key": free,
      },
      paint: {
        "text-color": [
          "match",
          ["get", "look"],
          "free",
          of["on-free"],
          "filling",
          of["on-filling"],
          "full",
          of["on-full"],
          of.ink,
        ],
      },
    },
    {
      id: "sums",
      type: "symbol",
      source: "lots",
      filter: isSum,
      layout: {
        "icon-image": ["case", isUnknown, "sum-unknown", ["==", free, 0], "sum-full", "sum"],
        "icon-size": SUM_PX / MARK_PX,
        "icon-allow-overlap": true,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
        "text-field": ["format", sum, {}, "\n", {}, lots, { "font-scale": 0.75 }],
        "text-font": ["sans-serif"],
        "text-size": 13,
        "text-line-height": 1.1,
      },
      paint: { "text-color": of.ink },
    },
    {
      id: "place",
      type: "circle",
      source: "chosen",
      filter: ["==", ["get", "is"], "place"],
      paint: {
        "circle-radius": 8,
        "circle-color": of.accent,
        "circle-stroke-width": 3,
        "circle-stroke-color": of.paper,
      },
    },
  ];
}

/** Give the layers that are there other colours and another language. */
export function repaint(map: LibreMap, of: Colours, words: Words): void {
  for (const layer of layers(of, words)) {
    for (const [name, value] of Object.entries(layer.paint ?? {})) {
      map.setPaintProperty(layer.id, name as never, value as never);
    }
    for (const [name, value] of Object.entries(layer.layout ?? {})) {
      map.setLayoutProperty(layer.id, name as never, value as never);
    }
  }
}
