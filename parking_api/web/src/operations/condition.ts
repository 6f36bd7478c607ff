/** How the platform fares, asked for anew while somebody of operations is signed in. */
import { read, type Shapes, type Told } from "../client";
import { repeated } from "../repeated";
import { Store } from "../store";
import { heard } from "./session";

export type Condition = Shapes["Condition"];

/** The last answer; null before the first. */
export const condition = new Store<Told<Condition> | null>(null);

/** An age of the newest commit that is normal: heartbeats of lots come at least as often. */
export const LATE_S = 30;

const EVERY_MS = 5_000;

/** Ask at intervals, beginning now, until what this returns is called. */
export function followCondition(): () => void {
  return repeated(async (signal) => {
    condition.set(heard(await read("/v1/operations", {}, signal)));
  }, EVERY_MS);
}

/** Whether a part of the platform is missing, or cannot be asked. */
export function isBroken(told: Told<Condition> | null): boolean {
  if (told === null) return false;
  if (!told.ok) return true;
  const { missing, programs } = told.value;
  return missing.length > 0 || (programs ?? []).some(({ is_up: isUp }) => !isUp);
}

/** Whether the platform is whole, and reports come in and are committed. */
export function isWell(told: Told<Condition> | null, ageS: number | null): boolean {
  if (told?.ok !== true || isBroken(told)) return false;
  return ageS !== null && ageS <= LATE_S && (told.value.observations_per_s ?? 0) > 0;
}
