import { useState } from "preact/hooks";
import { useWords } from "../language";

const SHOWN_MS = 3_000;

/** Hands the page's address on, by the device's own way where it has one. */
export function ShareButton() {
  const { t } = useWords();
  const [isCopied, setIsCopied] = useState(false);
  const share = async (): Promise<void> => {
    try {
      if ("share" in navigator) await navigator.share({ url: location.href });
      else {
        await (navigator as Navigator).clipboard.writeText(location.href);
        setIsCopied(true);
        setTimeout(() => {
          setIsCopied(false);
        }, SHOWN_MS);
      }
    } catch {
      // The driver thought better of it.
    }
  };
  return (
    <button
      class="chip"
      onClick={() => {
        void share();
      }}
    >
      <span aria-live="polite">{isCopied ? t.copied : t.share}</span>
    </button>
  );
}
