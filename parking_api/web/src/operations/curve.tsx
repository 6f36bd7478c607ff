/** A small curve of a figure's last hour. */

type Values = readonly (number | null)[];

interface Props {
  values: Values;
  /** What the curve shows, in words. */
  says: string;
  /** Whether each value is a count of its own minute: then they stand as bars. */
  areCounts?: boolean;
}

const WIDTH = 240;
const HEIGHT = 40;

/** From 0 at the bottom to the greatest value at the top; nothing where a value is not known. */
export function Curve({ values, says, areCounts = false }: Props) {
  const most = Math.max(1, ...known(values));
  const y = (value: number): number => HEIGHT * (1 - value / most);
  return (
    <svg
      class="curve"
      viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={says}
    >
      <path class="base" d={`M0 ${HEIGHT}H${WIDTH}`} />
      <path class="line" d={areCounts ? bars(values, y) : line(values, y)} />
    </svg>
  );
}

export function known(values: Values): number[] {
  return values.filter((value): value is number => value !== null);
}

function line(values: Values, y: (value: number) => number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  let isDown = false;
  let path = "";
  values.forEach((value, at) => {
    if (value !== null) {
      path += `${isDown ? "L" : "M"}${(at * step).toFixed(1)} ${y(value).toFixed(1)}`;
      // A minute that stands alone is a point.
      if (!isDown && (values[at + 1] ?? null) === null) path += "h0.1";
    }
    isDown = value !== null;
  });
  return path;
}

function bars(values: Values, y: (value: number) => number): string {
  const step = WIDTH / values.length;
  return values
    .map((value, at) =>
      value === null || value === 0
        ? ""
        : `M${((at + 0.5) * step).toFixed(1)} ${HEIGHT}V${y(value).toFixed(1)}`,
    )
    .join("");
}
