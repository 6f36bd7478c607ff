/** Four figures of the city, each with a curve since the page was opened, an hour at most. */
import { useEffect, useState } from "preact/hooks";
import type { City } from "../city";
import { read } from "../client";
import { useWords } from "../language";
import { repeated } from "../repeated";
import { useNow, useStore } from "../store";

interface Sample {
  asOf: string | null;
  /** Of the newest commit when it was asked for. */
  ageS: number;
  /** Lots that changed, a second. */
  changes: number;
  live: number;
  silent: number;
  lots: number;
}

const EVERY_MS = 5_000;
const MOST = 720;
/** The width of a curve is five minutes at least. */
const LEAST = 60;
const WIDTH = 200;
const HEIGHT = 36;

export function Figures({ city }: { city: City }) {
  const { t, number } = useWords();
  const now = useNow(1_000);
  useStore(city.lots);
  const samples = useSamples(city);
  const last = samples.at(-1);
  const texts = t.operations;
  const of = last === undefined ? undefined : texts.ofLots(number(last.lots));
  const age = last?.asOf == null ? null : city.age(last.asOf, now);
  return (
    <dl class="figures" title={texts.since}>
      <Figure
        name={texts.age}
        value={age === null ? "–" : texts.seconds(age)}
        curve={samples.map(({ ageS }) => ageS)}
      />
      <Figure
        name={texts.changes}
        value={last === undefined ? "–" : last.changes.toFixed(1)}
        curve={samples.map(({ changes }) => changes)}
      />
      <Figure
        name={texts.live}
        value={last === undefined ? "–" : number(last.live)}
        of={of}
        curve={samples.map(({ live }) => live)}
      />
      <Figure
        name={texts.silentLots}
        value={last === undefined ? "–" : number(last.silent)}
        of={of}
        isBad={last !== undefined && last.silent > 0}
        curve={samples.map(({ silent }) => silent)}
      />
    </dl>
  );
}

interface Figured {
  name: string;
  value: string;
  of?: string | undefined;
  isBad?: boolean;
  curve: readonly number[];
}

function Figure({ name, value, of, isBad = false, curve }: Figured) {
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd class={isBad ? "value bad" : "value"}>
        {value} {of !== undefined && <small class="soft">{of}</small>}
      </dd>
      <dd>
        <Curve values={curve} />
      </dd>
    </div>
  );
}

function Curve({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const step = WIDTH / (Math.max(LEAST, values.length) - 1);
  const start = WIDTH - (values.length - 1) * step;
  const points = values.map(
    (value, at) => `${(start + at * step).toFixed(1)},${(HEIGHT * (1 - value / most)).toFixed(1)}`,
  );
  return (
    <svg
      class="curve"
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}

function useSamples(city: City): readonly Sample[] {
  const [samples, set] = useState<readonly Sample[]>([]);
  useEffect(() => {
    let before: Map<string, string | null> | null = null;
    const look = async (signal: AbortSignal): Promise<void> => {
      const answer = await read("/v1/city", {}, signal);
      if (!answer.ok) return;
      const { as_of: asOf, live, unknown, lots } = answer.value;
      const present = new Map([...city.lots.value].map(([lot, { version }]) => [lot, version]));
      let changed = 0;
      for (const [lot, version] of present) {
        if (before !== null && before.get(lot) !== version) changed += 1;
      }
      before = present.size === 0 ? null : present;
      const sample = { asOf, live, silent: unknown, lots, changes: changed / (EVERY_MS / 1000) };
      const ageS = asOf === null ? 0 : city.age(asOf, Date.now());
      set((all) => [...all.slice(1 - MOST), { ...sample, ageS }]);
    };
    return repeated(look, EVERY_MS);
  }, [city]);
  return samples;
}
