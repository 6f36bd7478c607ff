/** The curve of the last 24 hours' free spaces over the band of usual days, the present marked. */
import { useEffect, useState } from "preact/hooks";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { startOfDay } from "../time";
import { dayOf, STEPS_A_DAY, type Day } from "./history";

const WIDTH = 336;
const HEIGHT = 96;
const AGAIN_MS = 600_000;
const HOURS = [0, 6, 12, 18, 24];

export function Today({ lotId, capacity }: { lotId: string; capacity: number }) {
  const { t, number } = useWords();
  const [day, setDay] = useState<Day | null>(null);
  const [isDone, setIsDone] = useState(false);

  useEffect(() => {
    return repeated(async (signal) => {
      const found = await dayOf(lotId, Date.now(), signal);
      // What is known of it is better than no answer.
      if (found !== null) setDay(found);
      setIsDone(true);
    }, AGAIN_MS);
  }, [lotId]);

  const known = day?.today.filter((free) => free !== null) ?? [];
  const hasBefore = day?.before.some((each) => each !== null) ?? false;
  const hasUsual = day?.usual.some((each) => each !== null) ?? false;
  if (isDone && day === null) return <p class="soft">{t.failed}</p>;
  if (isDone && known.length === 0 && !hasBefore && !hasUsual)
    return <p class="soft">{t.noHistory}</p>;
  const label =
    known.length === 0
      ? t.today
      : t.todayIs(number(Math.round(Math.min(...known))), number(Math.round(Math.max(...known))));
  return (
    <figure class="today">
      <figcaption>
        <span>
          <i class="line" aria-hidden="true" /> {t.today}
        </span>
        {hasBefore && (
          <span>
            <i class="line before" aria-hidden="true" /> {t.before}
          </span>
        )}
        {hasUsual && (
          <span>
            <i class="band" aria-hidden="true" /> {t.usual}
          </span>
        )}
      </figcaption>
      <svg viewBox={`0 -6 ${WIDTH} ${HEIGHT + 24}`} role="img" aria-label={label}>
        <path class="axis" d={`M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        {day !== null && <Curves day={day} capacity={capacity} />}
        {HOURS.map((hour) => (
          <text
            key={hour}
            x={(hour / 24) * WIDTH}
            y={HEIGHT + 16}
            text-anchor={hour === 0 ? "start" : hour === 24 ? "end" : "middle"}
          >
            {hour}
          </text>
        ))}
        <text x={WIDTH} y={12} text-anchor="end">
          {number(capacity)}
        </text>
      </svg>
    </figure>
  );
}

function Curves({ day, capacity }: { day: Day; capacity: number }) {
  const y = (free: number): number => HEIGHT * (1 - free / Math.max(1, capacity));
  const x = (step: number): number => ((step + 0.5) / STEPS_A_DAY) * WIDTH;
  const now = Date.now();
  const nowX = ((now - startOfDay(now)) / 86_400_000) * WIDTH;
  const wide = WIDTH / STEPS_A_DAY;
  return (
    <>
      {day.usual.map((each, step) =>
        each === null ? null : (
          <rect
            key={step}
            class="band"
            x={x(step) - wide / 2}
            width={wide}
            y={y(each.high) - 1}
            height={y(each.low) - y(each.high) + 2}
          />
        ),
      )}
      <path class="line before" d={lineOf(day.before, x, y)} />
      <path class="line" d={lineOf(day.today, x, y)} />
      <path class="now" d={`M${nowX.toFixed(1)} 0V${HEIGHT}`} />
    </>
  );
}

/** A path through what is known, with gaps where nothing is; what stands alone is a dot. */
export function lineOf(
  values: readonly (number | null)[],
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let isDrawn = false;
  values.forEach((value, step) => {
    if (value !== null) {
      const place = `${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
      path += isDrawn ? `L${place}` : `M${place}h0`;
    }
    isDrawn = value !== null;
  });
  return path;
}
