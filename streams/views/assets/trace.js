// The page Trace: the story of an event by its id, and the gaps in what the source gave.
import { html, useState } from "./shell/html.js";
import { useAsk, withQuery } from "./shell/api.js";
import { Badge, Panel, Problem } from "./shell/parts.js";
import { go, pageHref, useParams } from "./shell/url.js";
import { Gaps } from "./trace/gaps.js";
import { Nothing, Reach, Story } from "./trace/story.js";

const KINDS = { event: "event", conversation: "conversation", entry: "EventBridge entry" };

function Look({ id }) {
  const [typed, setTyped] = useState(id ?? "");
  const look = (event) => {
    event.preventDefault();
    if (typed.trim()) go(pageHref("trace", { id: typed.trim() }));
  };
  return html`<form class="look row" onSubmit=${look} role="search" aria-label="Trace">
    <label for="trace-id">Id of an event, a conversation or an EventBridge entry</label>
    <input id="trace-id" type="text" value=${typed} onInput=${(event) => setTyped(event.target.value)} spellcheck="false" autocomplete="off" placeholder="5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11" />
    <button class="primary" type="submit">Trace</button>
  </form>`;
}

function Found({ id, to, keyed }) {
  const { data, error, loading, reload } = useAsk(withQuery(`/api/trace/${encodeURIComponent(id)}/`, { to, key: keyed }));
  const found = data?.id === id ? data : null;
  const busy = loading || (data && !found && !error);
  return html`<div class="trace" aria-busy=${busy ? "true" : "false"}>
    ${busy && html`<p class="muted" role="status">Looking through the topics, the newest first…</p>`}
    <${Problem} error=${error} again=${reload} />
    ${found && !busy && html`
      <p class="traced"><code>${found.id}</code> ${found.kind && html`<${Badge} kind="accent">${KINDS[found.kind]}<//>`}
        ${found.kind !== "conversation" && found.key && found.key !== found.id && html`<span>of conversation <a href=${pageHref("trace", { id: found.key })}><code>${found.key}</code></a></span>`}
        <button type="button" class="quiet" onClick=${reload}>Look again</button></p>
      ${found.steps.length ? html`<${Story} found=${found} />` : html`<${Nothing} found=${found} />`}
      <${Reach} found=${found} onEarlier=${(at) => go(pageHref("trace", { id, to: at, key: keyed }))} />`}
  </div>`;
}

function Page() {
  const params = useParams();
  const id = params.get("id");
  return html`<div class="pagehead"><h1>Trace</h1></div>
    <${Panel} id="story" title="An event’s story">
      <${Look} key=${id ?? ""} id=${id} />
      ${id && html`<${Found} key=${`${id} ${params.get("to") ?? ""}`} id=${id} to=${params.get("to")} keyed=${params.get("key")} />`}
    <//>
    <${Gaps} />`;
}

export const page = { name: "trace", title: "Trace", Page };
