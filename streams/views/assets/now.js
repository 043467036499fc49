// The page Now: is the promise kept, where does it flow, and what was it like lately.
import { html } from "./shell/html.js";
import { useAsk, withQuery } from "./shell/api.js";
import { live } from "./shell/live.js";
import { Panel, Problem, RangeChoice } from "./shell/parts.js";
import { useStore } from "./shell/store.js";
import { useParams } from "./shell/url.js";
import { Todo } from "./now/actions.js";
import { Flow } from "./now/flow.js";
import { Ledger } from "./now/ledger.js";
import { Numbers } from "./now/numbers.js";
import { StageDetail } from "./now/stage.js";
import { Strip } from "./now/strip.js";
import { Workers } from "./now/workers.js";

function State({ status, error }) {
  if (!status) return error ? html`<${Problem} error=${error} />` : html`<p class="note" role="status">Asking the worker…</p>`;
  return html`<${Todo} status=${status} />`;
}

function Page() {
  const params = useParams();
  const known = useStore(live);
  const range = params.get("range") ?? "1h";
  const stage = params.get("stage");
  const report = useAsk(withQuery("/api/report/", { range }), { every: 5_000 });
  return html`
    <h1 class="unseen">Now</h1>
    <${State} status=${known.status} error=${known.error} />
    <${Ledger} report=${known.report} />
    <${Panel} id="flow" title="Flow" more="events a second · how many wait · age of the oldest" class="flow">
      <${Flow} known=${known} chosen=${stage} />
      ${stage && html`<${StageDetail} name=${stage} known=${known} />`}
    </${Panel}>
    <div class="pagehead range"><h2>Lately</h2><${RangeChoice} value=${range} /></div>
    <${Problem} error=${report.error} again=${report.reload} />
    <${Numbers} report=${report.data} known=${known} />
    <${Strip} range=${range} newest=${known.minutes} />
    <${Workers} status=${known.status} />`;
}

export const page = { name: "now", title: "Now", Page };
