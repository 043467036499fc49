// The address is the state: `/?page=failures&range=1h&…`. Reading it gives the page back as it was.
import { store, useStore } from "./store.js";

export const PAGES = ["now", "failures", "routes", "trace"];

/** Parameters that stay when the page changes. */
const LASTING = ["tz", "theme"];

const here = store(new URLSearchParams(location.search));
addEventListener("popstate", () => here.set(new URLSearchParams(location.search)));

const clean = (params) => {
  for (const [name, value] of [...params]) if (value === "") params.delete(name);
  return params;
};

/** The address of this page with some parameters changed; null removes one. */
export function href(changes) {
  const params = new URLSearchParams(here.get());
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined) params.delete(name);
    else params.set(name, String(value));
  }
  return `?${clean(params)}`;
}

/** The address of another page; only what is asked for goes with it. */
export function pageHref(page, more = {}) {
  const params = new URLSearchParams({ page });
  for (const name of LASTING) if (here.get().has(name)) params.set(name, here.get().get(name));
  for (const [name, value] of Object.entries(more)) if (value !== null && value !== undefined) params.set(name, String(value));
  return `?${clean(params)}`;
}

/** Go to an address. `replace` leaves no step for the back button: for what is typed or moved. */
export function go(address, { replace = false } = {}) {
  if (address === location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address + location.hash);
  here.set(new URLSearchParams(location.search));
}

export const setParams = (changes, how) => go(href(changes), how);
export const param = (name, otherwise = null) => here.get().get(name) ?? otherwise;
export const pageOf = (params) => (PAGES.includes(params.get("page")) ? params.get("page") : "now");

/** The parameters, followed. */
export const useParams = () => useStore(here);

/** Follow links to this app without loading it again; what opens elsewhere is the browser's. */
export function followLinks(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.hasAttribute("target") || link.hasAttribute("download")) return;
  const to = new URL(link.getAttribute("href"), location.href); // a link of a picture (SVG) has none of HTML's properties
  if (to.origin !== location.origin || to.pathname !== "/" || (to.hash && to.search === location.search)) return;
  event.preventDefault();
  go(to.search || "?page=now");
}
