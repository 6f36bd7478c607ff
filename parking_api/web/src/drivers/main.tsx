/** The page for drivers. */
import { render } from "preact";
import "../tokens.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./drivers.css";
import { City } from "../city";
import { language, words } from "../language";
import { App } from "./app";
import { keepInAddress } from "./asking";
import { Bays } from "./bays";

const page = document.getElementById("page");
if (page === null) throw new Error("the page has no place for its content");

function name(): void {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  document.title = words(language.value).t.title;
}
name();
language.listen(name);

const city = new City();
const end = new AbortController();
keepInAddress();
void city.open(end.signal);
// What is there is for browsers that never come to this line.
page.replaceChildren();
render(<App city={city} bays={new Bays(city)} />, page);
