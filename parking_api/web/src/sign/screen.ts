/** The screen of a sign stays on, and is filled once somebody has pressed it. */

/** Keep the screen on while the page is seen, where the browser can. */
export function keepAwake(): void {
  const ask = (): void => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    // Refused on a device that saves power: then its own settings decide.
    navigator.wakeLock.request("screen").catch(() => undefined);
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

/** Browsers fill the screen only where a person asks. */
export function fillScreenWhenPressed(): void {
  const fill = (): void => {
    if (document.fullscreenElement !== null || !document.fullscreenEnabled) return;
    document.documentElement.requestFullscreen().catch(() => undefined);
  };
  addEventListener("click", fill);
  addEventListener("keydown", fill);
}
