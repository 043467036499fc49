// One failure: what came, what was made of it, and where that violates the schema; its place in the topic, and what became of it.
import { html, useEffect } from "../shell/html.js";
import { useAsk } from "../shell/api.js";
import { Badge, number, Panel, Problem, sentence } from "../shell/parts.js";
import { Time } from "../shell/time.js";
import { href, pageHref, setParams } from "../shell/url.js";
import { Json, placesOf, valueAt } from "./json.js";

const violationsOf = (record) => (record.details ?? []).filter((one) => one && typeof one === "object");

/** Marks on the mapped event by violation, and on the original where the very value stands that is wrong. */
function marksOf(record) {
  const mapped = {};
  const original = {};
  for (const { path, rule, message } of violationsOf(record)) {
    const words = mapped[path] ? `${mapped[path].words}; ${message || rule}` : message || rule;
    mapped[path] = { tone: "bad", words };
    const value = valueAt(record.transformedEvent, path);
    if (value === undefined || value === null || typeof value === "object") continue;
    for (const place of placesOf(record.originalEvent, value)) original[place] = { tone: "warn", words: original[place] ? `${original[place].words}, ${path}` : `→ ${path}` };
  }
  return { mapped, original };
}

function Original({ record, marks, fromRaw }) {
  const note = record.encoding === "base64" ? "Its bytes are no JSON; as base64:" : fromRaw ? "The record holds the beginning alone; this is from raw." : record.originalBytes ? `Cut to fit: it had ${number(record.originalBytes)} bytes.` : null;
  return html`<div><h3>Original event</h3>${note && html`<p class="muted small">${note}</p>`}
    ${record.originalEvent === null ? html`<p class="empty">It was not kept.</p>` : html`<${Json} value=${record.originalEvent} marks=${marks} label="Original event" />`}</div>`;
}

function Mapped({ record, marks }) {
  return html`<div><h3>Mapped event ${record.engine && html`<span class="muted small">by ${record.engine}</span>`}</h3>
    ${record.transformedEvent === null || record.transformedEvent === undefined
      ? html`<p class="empty">There is none: ${record.stage === "transform" ? "the mapping failed." : "it did not come so far, or was left out."}</p>`
      : html`<${Json} value=${record.transformedEvent} marks=${marks} label="Mapped event" />`}</div>`;
}

/** Where it stands among the others of its partition. */
function Place({ found }) {
  const { partition, offset, begin, end, topic, record } = found;
  const share = end - begin > 1 ? ((offset - begin) / (end - begin - 1)) * 100 : 100;
  const to = (other) => (other >= begin && other < end ? href({ record: `${partition}/${other}` }) : null);
  const step = (address, words, sign) => (address ? html`<a class="button" href=${address} aria-label=${words}>${sign}</a>` : html`<span class="button off" aria-hidden="true">${sign}</span>`);
  const origin = record?.origin;
  return html`<div class="standing"><p><code>${topic}</code> partition <b>${partition}</b>, offset <b>${number(offset)}</b> of ${number(begin)} to ${number(end - 1)}
      ${origin && html` · came from <code>${origin.topic}</code> ${origin.partition}/${origin.offset}`}</p>
    <div class="row tight">${step(to(offset - 1), "The one before in its partition", "←")}
      <div class="offsets" aria-hidden="true"><i style=${{ left: `${share}%` }}></i></div>
      ${step(to(offset + 1), "The next in its partition", "→")}</div></div>`;
}

function Body({ found }) {
  const { record } = found;
  const marks = marksOf(record);
  const details = violationsOf(record);
  return html`
    <p class="said"><b>${record.error}</b> ${sentence(record.message ?? "")} ${record.retryAttempt ? html`<span class="muted">After ${record.retryAttempt} retries.</span>` : ""}</p>
    ${details.length > 0 && html`<ul class="breaks">${details.map((one, index) => html`<li key=${index}><code>${one.path || "the whole event"}</code> ${one.message || one.rule} <${Badge}>${one.rule}</${Badge}></li>`)}</ul>`}
    <div class="both"><${Original} record=${record} marks=${marks.original} fromRaw=${found.fromRaw} /><${Mapped} record=${record} marks=${marks.mapped} /></div>`;
}

/** The keyboard goes to the record, and back to its row when Escape closes it. */
function useFocus(place) {
  useEffect(() => {
    const title = document.getElementById("record-title");
    title.tabIndex = -1;
    title.focus({ preventScroll: matchMedia("(min-width: 70rem)").matches });
    const close = (event) => {
      if (event.key !== "Escape" || event.target.closest("input, dialog, .cm-editor")) return;
      setParams({ record: null });
      requestAnimationFrame(() => document.getElementById(`row-${place}`)?.focus());
    };
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, [place]);
}

export function Record({ place }) {
  useFocus(place);
  const { data: found, error, reload } = useAsk(`/api/failures/${place}/`);
  const close = html`<a class="close" href=${href({ record: null })} aria-label="Close the record">✕</a>`;
  if (!found) return html`<${Panel} id="record" title="Record ${place}" more=${close} class="record"><${Problem} error=${error} again=${reload} />${!error && html`<p class="empty">Reading it…</p>`}</${Panel}>`;
  return html`<${Panel} id="record" title=${html`Record ${place} ${found.redriven ? html`<${Badge} kind="good">redriven</${Badge}>` : html`<${Badge} kind="bad">open</${Badge}>`}`} more=${close} class="record">
    <p class="muted"><${Time} at=${found.at} /> · ${found.stage}${found.route ? ` · route ${found.route}` : ""} · event <code>${found.eventId ?? "?"}</code></p>
    ${found.redriven && html`<p class="note good"><span>Brought back by <code>${found.redriven.run}</code>, <${Time} at=${found.redriven.at} />.</span></p>`}
    ${found.record ? html`<${Body} found=${found} />` : html`<p class="empty">This is no failure record: somebody else wrote it.</p>`}
    <p class="row tight">${found.eventId && html`<a class="button" href=${pageHref("trace", { id: found.eventId })}>Trace this event</a>`}
      ${found.record && html`<a class="button" href=${pageHref("routes", { route: found.route, failure: place })}>Try it on the routes</a>`}</p>
    <${Place} found=${found} />
  </${Panel}>`;
}
