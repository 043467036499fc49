// Light or dark: as the system says, until somebody chooses.
import { html } from "./html.js";
import { store, useStore } from "./store.js";

const NAMES = { auto: "System", light: "Light", dark: "Dark" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const SIGNS = { auto: "◐", light: "☀", dark: "☾" };

export const theme = store(document.documentElement.dataset.theme ?? "auto");

/** Counts up when colours change, for what is drawn on a canvas. */
export const colours = store(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colours.set((now) => now + 1));

function choose(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    if (name === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", name);
  } catch { /* it then lasts as long as the page */ }
  theme.set(name);
  colours.set((now) => now + 1);
}

/** A colour of css/tokens.css as a canvas takes it. */
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function ThemeSwitch() {
  const now = useStore(theme);
  return html`<button class="quiet icon" type="button" onClick=${() => choose(NEXT[now])}
    aria-label="Colours: ${NAMES[now]}" title="Colours: ${NAMES[now]}; next: ${NAMES[NEXT[now]]}">${SIGNS[now]}</button>`;
}
