// What the draft would change in the last events, told while the worker finds it out.
import { html, useEffect, useRef, useState } from "../shell/html.js";
import { ApiError, open } from "../shell/api.js";
import { Badge, number, Problem } from "../shell/parts.js";
import { Time } from "../shell/time.js";
import { href } from "../shell/url.js";
import { question } from "./draft.js";

const KINDS = {
  "mapped differently": "accent", "now mapped": "good", "now passing": "good", "now filtered": "warn", "now failed": "bad", "fails differently": "warn",
};
const ENDS = { all: "all there are", most: "", time: "the time for it was over", stopped: "stopped" };

/** Read lines of JSON as they come. */
async function* lines(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

const short = (value) => (value === undefined ? "nothing" : JSON.stringify(value));

function Fields({ fields }) {
  if (!fields.length) return null;
  return html`<div class="wide" role="region" aria-label="Fields that change" tabindex="0"><table>
    <thead><tr><th scope="col">Field</th><th scope="col" class="num">Events</th><th scope="col">Now</th><th scope="col">With the draft</th></tr></thead>
    <tbody>${fields.map(({ path, events, example }) => html`<tr key=${path}><th scope="row"><code>${path}</code></th><td class="num">${number(events)}</td>
      <td class="value"><code>${short(example.before)}</code></td><td class="value"><code>${short(example.after)}</code></td></tr>`)}</tbody></table></div>`;
}

function Examples({ examples, causes }) {
  const place = (origin) => /^.*\/(\d+)\/(\d+)$/.exec(origin);
  return html`<div class="cases">
    ${causes.map((one) => html`<p key=${JSON.stringify(one)} class="bad">${number(one.events)} would fail: ${one.stage}/${one.error}${one.path ? ` at ${one.path}` : ""}</p>`)}
    ${examples.length > 0 && html`<p class="muted">Try one: ${examples.map((one) => {
      const [, partition, offset] = place(one.origin);
      return html`<a key=${one.origin} href=${href({ event: `raw:${partition}:${offset}`, failure: null })} title=${one.change}>${partition}/${offset} (${one.change})</a> `;
    })}</p>`}
  </div>`;
}

function Before({ name, counts }) {
  return html`<p class="balance">${name}: <b>${number(counts.mapped)}</b> mapped, <b>${number(counts.filtered)}</b> filtered, <b class=${counts.failed ? "bad" : ""}>${number(counts.failed)}</b> failed</p>`;
}

function Found({ found, running }) {
  const kinds = Object.entries(found.kinds);
  return html`<div class="found" aria-live="polite">
    <progress max=${found.most} value=${found.end && found.end !== "stopped" ? found.most : found.read} aria-label="Events compared"></progress>
    <p><b>${number(found.read)}</b> events${found.since ? html` since <${Time} at=${found.since} />` : ""}${running ? "…" : ENDS[found.end] ? ` (${ENDS[found.end]})` : ""}:
      ${" "}<b>${number(found.unchanged)}</b> stay as they are, <b>${number(found.changed)}</b> change
      ${kinds.map(([kind, count]) => html` <${Badge} key=${kind} kind=${KINDS[kind]}>${number(count)} ${kind}<//>`)}</p>
    <div class="sides"><${Before} name="Now" counts=${found.before} /><${Before} name="With the draft" counts=${found.after} /></div>
    <${Fields} fields=${found.fields} /><${Examples} examples=${found.examples} causes=${found.causes} />
  </div>`;
}

export function Changes({ texts, route, canRun }) {
  const [since, setSince] = useState("24h");
  const [most, setMost] = useState(500);
  const [state, setState] = useState({ found: null, running: false, error: null, of: null });
  const stop = useRef(null);
  useEffect(() => () => stop.current?.abort(), []);
  const asked = JSON.stringify([texts.filter, texts.mapping, texts.schema, route]);
  const run = async () => {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    setState({ found: null, running: true, error: null, of: asked });
    const { event, ...drafted } = question(texts, route);
    try {
      const answer = await open("/api/changes/", { method: "POST", body: { ...drafted, since, most }, signal: mine.signal, accept: "application/x-ndjson" });
      for await (const found of lines(answer)) {
        setState((before) => ({ ...before, found, error: found.message ? new ApiError(0, "stopped", found.message) : null }));
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      setState((before) => ({ ...before, error }));
    }
    setState((before) => ({ ...before, running: false }));
  };
  const halt = () => {
    stop.current?.abort();
    setState((before) => ({ ...before, running: false }));
  };
  const old = state.found && state.of !== asked;
  return html`<section class="changes ${old ? "dated" : ""}" aria-labelledby="changes-title">
    <header><h3 id="changes-title">What would change</h3>
      <label>in the last <select value=${since} onChange=${(event) => setSince(event.target.value)}>
        ${[["1h", "hour"], ["6h", "6 hours"], ["24h", "24 hours"], ["7d", "7 days"]].map(([value, words]) => html`<option key=${value} value=${value}>${words}</option>`)}</select></label>
      <label>at most <select value=${String(most)} onChange=${(event) => setMost(Number(event.target.value))}>
        ${[200, 500, 2000, 5000].map((value) => html`<option key=${value} value=${String(value)}>${number(value)} events</option>`)}</select></label>
      ${state.running
        ? html`<button type="button" onClick=${halt}>Stop</button>`
        : html`<button type="button" class="primary" disabled=${!canRun} onClick=${run}>Compare</button>`}
      ${old && !state.running && html`<span class="warn">The texts have changed since.</span>`}
    </header>
    <${Problem} error=${state.error} />
    ${state.found
      ? html`<${Found} found=${state.found} running=${state.running} />`
      : !state.running && html`<p class="muted">Tries the route as it is and the draft on the last events of <code>raw</code>, the newest first, and tells the difference.</p>`}
  </section>`;
}
