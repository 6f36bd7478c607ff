/** The language of the page: as chosen, else as the browser prefers. */
import { Store, useStore } from "./store";
import { en } from "./texts/en";
import { zh, type Texts } from "./texts/zh";

export type Language = "zh" | "en";

const TEXTS: Record<Language, Texts> = { zh, en };
const KEPT = "onelot.language";

function chosen(): Language | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "zh" || kept === "en" ? kept : null;
  } catch {
    // The browser keeps nothing for this page.
    return null;
  }
}

function preferred(): Language {
  for (const tag of navigator.languages) {
    if (tag.toLowerCase().startsWith("zh")) return "zh";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "zh";
}

export const language = new Store<Language>(chosen() ?? preferred());

/** Choose a language, and keep the choice. */
export function choose(next: Language): void {
  language.set(next);
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // It holds until the page is closed.
  }
}

/** Texts, and how numbers and times are written. */
export interface Words {
  language: Language;
  locale: string;
  t: Texts;
  number: (value: number) => string;
  /** A thing's name in this language. */
  name: (name: { zh: string; en?: string | null }) => string;
  money: (minor: number, currency: string) => string;
}

export function words(of: Language): Words {
  const locale = of === "zh" ? "zh-CN" : "en-GB";
  const numbers = new Intl.NumberFormat(locale);
  return {
    language: of,
    locale,
    t: TEXTS[of],
    number: (value) => numbers.format(value),
    name: (name) => (of === "zh" ? name.zh : (name.en ?? name.zh)),
    money: (minor, currency) => {
      const whole = minor % 100 === 0;
      return new Intl.NumberFormat(locale, {
        style: "currency",
        currency,
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: whole ? 0 : 2,
      }).format(minor / 100);
    },
  };
}

export function useWords(): Words {
  return words(useStore(language));
}
