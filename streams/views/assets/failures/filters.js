// Which failures are meant: the filters in the address, and what a redrive is told of them.
import { html } from "../shell/html.js";
import { href } from "../shell/url.js";

/** The filters of `/api/failures/` and `/api/redrive/`; `cluster` is all paths that are violated, as a cluster names them. */
export const NAMES = ["route", "stage", "error", "cluster", "path", "key", "event"];

const WORDS = { cluster: "violates", path: "violates under", key: "conversation" };

export const filtersOf = (params) => Object.fromEntries(NAMES.filter((name) => params.get(name)).map((name) => [name, params.get(name)]));

/** The filters that mean one cluster. */
export const ofCluster = ({ route, stage, error, path }) => ({ route: route || null, stage, error, cluster: path || null, record: null, picked: null, redrive: null });

export const isCluster = (filters, cluster) =>
  Boolean(filters.error) && filters.stage === cluster.stage && filters.error === cluster.error && (filters.route ?? "") === cluster.route && (filters.cluster ?? "") === cluster.path;

export const NOTHING = Object.fromEntries([...NAMES, "record", "picked", "redrive"].map((name) => [name, null]));

export function Chips({ filters }) {
  const names = Object.keys(filters);
  if (!names.length) return null;
  return html`<ul class="chips" aria-label="Filters">${names.map((name) => html`<li key=${name}><span class="muted">${WORDS[name] ?? name}</span> <b>${filters[name]}</b>
    <a href=${href({ [name]: null, picked: null, redrive: null })} aria-label="Without ${WORDS[name] ?? name} ${filters[name]}">✕</a></li>`)}
    <li class="all"><a href=${href(NOTHING)}>all failures</a></li></ul>`;
}
