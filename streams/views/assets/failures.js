// The page Failures: from what failed, by cluster, to one record, and back to where it failed.
import { html, useEffect, useRef } from "./shell/html.js";
import { useAsk, withQuery } from "./shell/api.js";
import { live } from "./shell/live.js";
import { Choice, number, Problem, RangeChoice } from "./shell/parts.js";
import { useStore } from "./shell/store.js";
import { useParams } from "./shell/url.js";
import { Clusters } from "./failures/clusters.js";
import { Chips, filtersOf } from "./failures/filters.js";
import { List } from "./failures/list.js";
import { Record } from "./failures/record.js";
import { Redrive } from "./failures/redrive.js";

const STATES = [["open", "Open"], ["redriven", "Redriven"], ["all", "All"]];

/** What has failed since the list was read: it is read again when somebody wants it, as that costs the worker a look through the topic. */
function News({ found, reload }) {
  const { report } = useStore(live);
  const counted = useRef(null);
  useEffect(() => { counted.current = live.get().report?.failures ?? null; }, [found]);
  if (counted.current === null && report) counted.current = report.failures;
  const more = report && counted.current !== null ? report.failures - counted.current : 0;
  return html`<button type="button" class=${more > 0 ? "primary" : ""} onClick=${reload}>${more > 0 ? `Show ${number(more)} new` : "Read again"}</button>`;
}

function Page() {
  const params = useParams();
  const range = params.get("range") ?? "24h";
  const state = params.get("state") ?? "open";
  const limit = params.get("limit") ?? "50";
  const filters = filtersOf(params);
  const shared = { range, state: state === "all" ? null : state };
  // Clusters are of the whole time, so that choosing one leaves the others to be seen; the list is of what is chosen.
  const list = useAsk(withQuery("/api/failures/", { ...shared, ...filters, limit }));
  const isChosen = ["route", "stage", "error", "cluster"].some((name) => filters[name]);
  const all = useAsk(isChosen ? withQuery("/api/failures/", { ...shared, key: filters.key, event: filters.event, path: filters.path, limit: 1 }) : null);
  const before = useRef(null);
  if (!isChosen && list.data) before.current = list.data;
  const clusters = isChosen ? all.data ?? before.current ?? list.data : list.data;
  const reload = () => { if (isChosen) all.reload(); list.reload(); };
  const record = params.get("record");
  return html`
    <div class="pagehead"><h1>Failures</h1>
      <div class="row tight"><${Choice} name="state" label="State" value=${state} options=${STATES} />
        <${RangeChoice} value=${range} more=${[["7d", "7 days"]]} /><${News} found=${list.data} reload=${reload} /></div></div>
    <${Problem} error=${list.error} again=${reload} />
    ${clusters && html`<${Clusters} found=${clusters} filters=${filters} state=${state} />`}
    <${Chips} filters=${filters} />
    ${list.data && html`<${Redrive} found=${list.data} filters=${filters} onDone=${reload} />
      <div class="split ${record ? "opened" : ""}">
        <${List} found=${list.data} record=${record} />
        ${record && html`<${Record} place=${record} key=${record} />`}
      </div>`}
    ${!list.data && !list.error && html`<p class="empty">Reading the failures topic…</p>`}`;
}

export const page = { name: "failures", title: "Failures", Page };
