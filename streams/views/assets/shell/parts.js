// Small pieces that the pages are made of.
import { html } from "./html.js";
import { setParams } from "./url.js";

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** 12,345 */
export const number = (value) => (typeof value === "number" ? whole.format(value) : "–");
/** 4.27 /s */
export const rate = (value) => (typeof value !== "number" ? "–" : value >= 100 ? whole.format(Math.round(value)) : value < 0.05 ? "0" : short.format(Number(value.toFixed(1))));
/** 275 ms, 4.2 s; text (`> 60 s`) as it is */
export const millis = (value) =>
  typeof value === "string" ? value : typeof value !== "number" ? "–" : value < 1000 ? `${Math.round(value)} ms` : `${short.format(value / 1000)} s`;

/** A part of a page with its title; `more` stands beside it. */
export function Panel({ id, title, more, children, ...rest }) {
  return html`<section class="panel ${rest.class ?? ""}" aria-labelledby="${id}-title">
    <header><h2 id="${id}-title">${title}</h2>${more && html`<div class="more">${more}</div>`}</header>
    ${children}
  </section>`;
}

/** What went wrong, in the worker's words. */
export function Problem({ error, again }) {
  if (!error) return null;
  return html`<div class="note bad" role="alert"><p>${sentence(error.message)}</p>
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}</div>`;
}

export const sentence = (text) => {
  const told = String(text);
  return /[.!?]$/.test(told) ? told[0].toUpperCase() + told.slice(1) : `${told[0]?.toUpperCase() ?? ""}${told.slice(1)}.`;
};

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

export const Badge = ({ kind = "", children }) => html`<span class="badge ${kind}">${children}</span>`;

/** A choice of a few that stands in the address under `name`. */
export function Choice({ name, label, value, options }) {
  return html`<div class="choice" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button type="button" key=${key} aria-pressed=${key === value ? "true" : "false"}
      onClick=${() => setParams({ [name]: key }, { replace: true })}>${text}</button>`)}
  </div>`;
}

export const RANGES = [["5m", "5 min"], ["1h", "1 hour"], ["24h", "24 hours"]];

/** The shipped ranges, and any other that the address names. */
export function RangeChoice({ value, more = [] }) {
  const known = [...RANGES, ...more];
  const options = known.some(([key]) => key === value) ? known : [...known, [value, value]];
  return html`<${Choice} name="range" label="Range" value=${value} options=${options} />`;
}
