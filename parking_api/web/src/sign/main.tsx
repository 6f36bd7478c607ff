/** The page of a guidance sign at a junction: free spaces of a few lots, for days without a reload. */
import { render } from "preact";
import "../tokens.css";
import "./sign.css";
import { asked } from "./asking";
import { Board } from "./board";
import { fillScreenWhenPressed, keepAwake } from "./screen";
import { Sign } from "./sign";

const page = document.getElementById("page");
if (page === null) throw new Error("the page has no place for its content");

const ask = asked(location.search);
const board = new Board(ask);
void board.open(new AbortController().signal);
render(<Sign board={board} />, page);
keepAwake();
fillScreenWhenPressed();
