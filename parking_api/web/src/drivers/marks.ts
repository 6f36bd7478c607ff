/** The marks of lots on the map, drawn once for each look: shape and pattern say what colour says. */
import type { Look } from "../city";

/** A mark at its largest, in CSS pixels; and pixels of its picture for each. */
export const MARK_PX = 44;
const RATIO = 2;

export type Colours = Record<
  | "land"
  | "sea"
  | "border"
  | "ink"
  | "soft"
  | "paper"
  | "free"
  | "filling"
  | "full"
  | "accent"
  | "on-free"
  | "on-filling"
  | "on-full",
  string
>;

const NAMES = [
  ...["land", "sea", "border", "ink", "soft", "paper", "free", "filling", "full", "accent"],
  ...["on-free", "on-filling", "on-full"],
] as (keyof Colours)[];

/** The tokens of the style sheet as they are now, light or dark. */
export function colours(): Colours {
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = Object.fromEntries(
    NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  ) as Colours;
  probe.remove();
  return found;
}

export type Mark = Look | "sum" | "sum-full" | "sum-unknown";
export const MARKS: readonly Mark[] = [
  ...(["free", "filling", "full", "stale-free", "stale-filling", "stale-full"] as const),
  ...(["unknown", "closed", "sum", "sum-full", "sum-unknown"] as const),
];

export function draw(mark: Mark, of: Colours): ImageData {
  const size = MARK_PX * RATIO;
  const canvas = new OffscreenCanvas(size, size);
  // It is read, not shown: drawn by the processor, each needs no way to the graphics card and back.
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("this browser draws nothing");
  pen.translate(size / 2, size / 2);
  const r = size / 2 - 6;
  const isStale = mark.startsWith("stale-");
  const look = isStale ? mark.slice("stale-".length) : mark;
  const outline = (isSquare: boolean, to = r): void => {
    pen.beginPath();
    if (isSquare) pen.roundRect(-to, -to, 2 * to, 2 * to, 10);
    else pen.arc(0, 0, to, 0, 2 * Math.PI);
  };
  pen.lineWidth = 4;

  if (look === "unknown" || look === "closed") {
    outline(false);
    pen.fillStyle = of.paper;
    pen.fill();
    pen.strokeStyle = of.soft;
    pen.stroke();
    pen.beginPath();
    const d = look === "closed" ? r * Math.SQRT1_2 : r / 2.5;
    pen.moveTo(-d, look === "closed" ? d : 0);
    pen.lineTo(d, look === "closed" ? -d : 0);
    pen.stroke();
  } else if (look.startsWith("sum")) {
    outline(look === "sum-full");
    pen.fillStyle = of.paper;
    pen.fill();
    pen.strokeStyle = look === "sum" ? of.free : look === "sum-full" ? of.full : of.soft;
    pen.lineWidth = look === "sum-unknown" ? 3 : 6;
    pen.stroke();
  } else {
    const colour = of[look as "free" | "filling" | "full"];
    const isRing = look === "filling";
    outline(look === "full", isRing ? r - 8 : r);
    pen.fillStyle = of.paper;
    pen.fill();
    if (isStale) pen.globalAlpha = 0.45;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
    if (isStale) pen.setLineDash([10, 8]);
    pen.strokeStyle = isStale ? colour : of.paper;
    pen.stroke();
    if (isRing) ring(pen, r, colour, of.paper);
    if (look === "full") bars(pen, r, of.paper);
  }
  return pen.getImageData(0, 0, size, size);
}

/** Three quarters of a ring around the mark, from above to the left. */
function ring(
  pen: OffscreenCanvasRenderingContext2D,
  r: number,
  colour: string,
  under: string,
): void {
  pen.setLineDash([]);
  for (const [width, stroke] of [
    [10, under],
    [6, colour],
  ] as const) {
    pen.strokeStyle = stroke;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(0, 0, r, -Math.PI / 2, Math.PI);
    pen.stroke();
  }
}

/** A bar below and one above what is written. */
function bars(pen: OffscreenCanvasRenderingContext2D, r: number, colour: string): void {
  pen.fillStyle = colour;
  for (const y of [-0.72, 0.6]) pen.fillRect(-r * 0.6, r * y, r * 1.2, r * 0.14);
}

export const PIXEL_RATIO = RATIO;
