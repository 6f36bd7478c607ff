/** What a sign knows: its lots' names and states, and how long ago it heard anything. */
import { read, type Shapes } from "../client";
import type { LotState } from "../city";
import type { Words } from "../language";
import { Store } from "../store";
import { follow, SILENT_MS } from "../stream";
import { clock, dayAndClock } from "../time";
import type { Asked, Wanted } from "./asking";

type Name = Shapes["LotAnswer"]["name"];
type Known = { is: "there"; name: Name; askedAt: number } | { is: "unknown" } | { is: "retired" };

/** What a line of the sign shows: a figure or `--`, and why. */
export interface Shown {
  name: Name | null;
  figure: string;
  /** In words of either language; null where the figure says all. */
  why: ((words: Words) => string) | null;
}

const NOTHING = "--";
const NAMES_EVERY_MS = 30_000;
const NAMES_LAST_MS = 3_600_000;
const NOT_FOUND = 404;
const GONE = 410;

export class Board {
  readonly asked: Asked;
  /** Told whenever something has changed. */
  readonly turns = new Store(0);
  readonly #states = new Map<string, LotState>();
  readonly #names = new Map<string, Known>();
  // By the browser's steady clock: one that is set while the page is open makes nothing young.
  #heardAt: number | null = null;
  /** How far the platform's clock, in ms since 1970, is ahead of the steady one. */
  #ahead = Date.now() - performance.now();

  constructor(asked: Asked) {
    this.asked = asked;
  }

  /** Look up names and follow the lots, until the signal. */
  async open(end: AbortSignal): Promise<void> {
    const ids = this.asked.lots.filter(({ isId }) => isId).map(({ lotId }) => lotId);
    if (ids.length === 0) return;
    const timer = setInterval(() => {
      void this.#look(ids, NAMES_LAST_MS, end);
    }, NAMES_EVERY_MS);
    end.addEventListener("abort", () => {
      clearInterval(timer);
    });
    await follow(
      { lots: ids.join(",") },
      {
        lots: ({ lots }) => {
          this.#states.clear();
          for (const lot of lots) this.#states.set(lot.lot_id, lot);
          this.#turn();
          // Some may have come, or have been retired.
          void this.#look(ids, 0, end);
        },
        lot: (lot) => {
          this.#states.set(lot.lot_id, lot);
          this.#turn();
        },
        alive: (platformMs) => {
          this.#heardAt = performance.now();
          if (platformMs !== null) this.#ahead = platformMs - this.#heardAt;
        },
        gone: () => undefined,
      },
      end,
    );
  }

  /** How many digits a figure may have: as many whatever the figures are, so that nothing moves. */
  get digits(): number {
    const capacities = [...this.#states.values()].map(({ capacity }) => capacity);
    return String(Math.max(10, ...capacities)).length;
  }

  /** What a line shows at this moment. */
  shown({ lotId, isId }: Wanted): Shown {
    const known = this.#names.get(lotId);
    const name = known?.is === "there" ? known.name : null;
    const nothing = (why: Shown["why"]): Shown => ({ name, figure: NOTHING, why });

    if (!isId) return nothing(({ t }) => t.sign.notAnId);
    const heardAt = this.#heardAt;
    if (heardAt === null) return nothing(({ t }) => t.connecting);
    const steady = performance.now();
    if (steady - heardAt > SILENT_MS) {
      const since = heardAt + this.#ahead;
      return nothing(({ t, locale }) => t.gone(clock(since, locale, true)));
    }
    if (known?.is === "retired") return nothing(({ t }) => t.sign.retired);
    if (known?.is === "unknown") return nothing(({ t }) => t.sign.noLot);
    const lot = this.#states.get(lotId);
    if (lot === undefined) return nothing(({ t }) => t.unknownNow);
    return { name, ...this.#figure(lot, steady + this.#ahead) };
  }

  #figure(lot: LotState, nowMs: number): Omit<Shown, "name"> {
    const nothing = (why: Shown["why"]): Omit<Shown, "name"> => ({ figure: NOTHING, why });
    if (lot.status === "closed") {
      const until = lot.closed_until ?? null;
      return nothing(({ t, locale }) =>
        until === null ? t.closed : t.closedUntil(dayAndClock(Date.parse(until), nowMs, locale)),
      );
    }
    if (lot.observed_at === null) return nothing(({ t }) => t.never);
    const age = Math.max(0, (nowMs - Date.parse(lot.observed_at)) / 1000);
    const { limitS } = this.asked;
    const isOld = limitS === null ? lot.data_state !== "live" : age > limitS;
    if (isOld || lot.free_spaces === null) return nothing(({ t }) => t.tooOld(age));
    if (lot.status === "unknown") return nothing(({ t }) => t.unknownNow);
    const why = lot.status === "full" ? ({ t }: Words) => t.full : null;
    return { figure: String(lot.free_spaces), why };
  }

  /** Ask for the names that are not known, or have been for so long. */
  async #look(ids: readonly string[], lastMs: number, end: AbortSignal): Promise<void> {
    const now = performance.now();
    for (const lotId of ids) {
      const known = this.#names.get(lotId);
      if (known?.is === "there" && now - known.askedAt < lastMs) continue;
      try {
        const answer = await read("/v1/lots/{lot_id}", { path: { lot_id: lotId } }, end);
        if (answer.ok) {
          this.#names.set(lotId, { is: "there", name: answer.value.name, askedAt: now });
        } else if (answer.status === NOT_FOUND) this.#names.set(lotId, { is: "unknown" });
        else if (answer.status === GONE) this.#names.set(lotId, { is: "retired" });
      } catch {
        return;
      }
    }
    this.#turn();
  }

  #turn(): void {
    this.turns.set(this.turns.value + 1);
  }
}
