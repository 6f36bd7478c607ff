/** The page for operations, and for operators about their own: what is wrong, and what to do. */
import { render } from "preact";
import "../tokens.css";
import "./operations.css";
import { City } from "../city";
import { language, words } from "../language";
import { App } from "./app";

const page = document.getElementById("page");
if (page === null) throw new Error("the page has no place for its content");

function name(): void {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  document.title = words(language.value).t.operations.title;
}
name();
language.listen(name);

const city = new City();
void city.open(new AbortController().signal);
render(<App city={city} />, page);
