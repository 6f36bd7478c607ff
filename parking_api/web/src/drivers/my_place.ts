/** Asks the device where it is, with the driver's leave. It is kept nowhere, and sent with questions. */
import { Store } from "../store";
import { ask } from "./asking";

/** What became of the question. */
export const myPlace = new Store<"not asked" | "asking" | "denied" | "unknown" | "found">(
  "not asked",
);

export function askMyPlace(): void {
  // Where the page did not come over TLS, browsers have no such thing.
  if (!("geolocation" in navigator)) {
    myPlace.set("unknown");
    return;
  }
  myPlace.set("asking");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      myPlace.set("found");
      const place = { kind: "mine" as const, lon: coords.longitude, lat: coords.latitude };
      ask({ place: { ...place, name: null }, lotId: null });
    },
    (error) => {
      myPlace.set(error.code === error.PERMISSION_DENIED ? "denied" : "unknown");
    },
    { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
  );
}
