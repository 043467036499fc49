// The newest failures of what is chosen; some of them may be picked, for a redrive of these alone.
import { html } from "../shell/html.js";
import { Badge, Empty, Panel } from "../shell/parts.js";
import { Time } from "../shell/time.js";
import { href, param, setParams } from "../shell/url.js";

/** Picked records, as the address has them: `0/5,1/7`. */
export const pickedOf = (text) => (text ? text.split(",") : []);
export const placeOf = (row) => `${row.partition}/${row.offset}`;

function pick(places, isPicked) {
  const before = pickedOf(param("picked"));
  const next = isPicked ? [...new Set([...before, ...places])] : before.filter((one) => !places.includes(one));
  setParams({ picked: next.length ? next.join(",") : null, redrive: null }, { replace: true });
}

function Row({ row, open, picked }) {
  const place = placeOf(row);
  return html`<li class="failure ${open ? "chosen" : ""}">
    <input type="checkbox" aria-label="Pick ${row.eventId ?? place}" checked=${picked} onChange=${(event) => pick([place], event.target.checked)} />
    <a id="row-${place}" href=${href({ record: open ? null : place })} aria-current=${open ? "true" : null}>
      <span class="what"><${Time} at=${row.at} /> <b>${row.error || "not a failure record"}</b> ${row.state === "redriven" && html`<${Badge} kind="good">redriven</${Badge}>`}</span>
      <span class="said">${row.message ?? row.path}</span>
      <code>${row.eventId ?? place}</code>
    </a></li>`;
}

export function List({ found, record }) {
  const rows = found.failures;
  const picked = pickedOf(param("picked"));
  const all = rows.length > 0 && rows.every((row) => picked.includes(placeOf(row)));
  const more = rows.length ? html`<label class="pickall"><input type="checkbox" checked=${all} onChange=${(event) => pick(rows.map(placeOf), event.target.checked)} /> pick these ${rows.length}</label>` : "";
  return html`<${Panel} id="list" title="The newest" more=${more} class="list">
    ${found.hidden && html`<p class="note"><span>${found.hidden}</span></p>`}
    ${!rows.length && !found.hidden && html`<${Empty}>None.</${Empty}>`}
    <ul class="failures">${rows.map((row) => html`<${Row} key=${placeOf(row)} row=${row} open=${record === placeOf(row)} picked=${picked.includes(placeOf(row))} />`)}</ul>
    ${rows.length > 0 && rows.length >= Number(param("limit") ?? 50) && html`<p class="more-rows"><a class="button" href=${href({ limit: 500 })}>Show more</a></p>`}
  </${Panel}>`;
}
