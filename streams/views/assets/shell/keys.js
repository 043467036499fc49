// The keyboard: `/` looks for an id, `g` and a letter goes to a page, `?` tells all of them.
import { html, useEffect, useRef } from "./html.js";
import { go, pageHref, param, setParams } from "./url.js";
import { store, useStore } from "./store.js";

const PAGES = { n: "now", f: "failures", r: "routes", t: "trace" };
const SECOND_KEY_MS = 1_500;

export const KEYS = [
  ["/", "look for an event, a conversation or an EventBridge entry by its id"],
  ["g n", "Now"], ["g f", "Failures"], ["g r", "Routes"], ["g t", "Trace"],
  ["u", "times in UTC, or in your own zone"],
  ["?", "these keys"],
];

export const helpShown = store(false);

const isTyping = (target) =>
  target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest?.(".cm-editor");

let afterG = 0;

export function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const { key } = event;
  if (afterG && Date.now() - afterG < SECOND_KEY_MS && PAGES[key]) {
    event.preventDefault();
    go(pageHref(PAGES[key]));
    document.getElementById("main")?.focus();
  } else if (key === "/") {
    event.preventDefault();
    document.getElementById("search")?.focus();
  } else if (key === "u") {
    setParams({ tz: param("tz") === "utc" ? null : "utc" }, { replace: true });
  } else if (key === "?") {
    helpShown.set(true);
  }
  afterG = key === "g" ? Date.now() : 0;
}

export function KeyHelp() {
  const shown = useStore(helpShown);
  const dialog = useRef(null);
  useEffect(() => {
    if (shown && !dialog.current.open) dialog.current.showModal();
  }, [shown]);
  return html`<dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${() => helpShown.set(false)}>
    <h2 id="help-title">Keys</h2>
    <dl>${KEYS.map(([keys, what]) => html`<div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${what}</dd></div>`)}</dl>
    <form method="dialog"><button type="submit">Close</button></form>
  </dialog>`;
}
