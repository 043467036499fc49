// The strip of the last minutes or hours: what was published, failed and waited, and how long it took; with marks of what happened.
import { html, useEffect, useMemo, useState } from "../shell/html.js";
import { useAsk, withQuery } from "../shell/api.js";
import { Chart } from "../shell/chart.js";
import { Empty, millis, number, Panel, Problem } from "../shell/parts.js";
import { useStore } from "../shell/store.js";
import { colours } from "../shell/theme.js";
import { isUtc, moment } from "../shell/time.js";
import { useParams } from "../shell/url.js";
import { drawHoles, drawMarks, MarkList } from "./marks.js";

const MINUTE_MS = 60_000;

/** What is beyond the last bucket is drawn at its edge. */
const drawnMillis = (value) => (typeof value === "string" ? 60_000 : value);

/** The minutes as asked for, with the newest that the stream has told since. */
function merged(history, newest) {
  if (!history) return null;
  const minutes = new Map(history.minutes.map((one) => [one.from, one]));
  for (const one of newest?.minutes ?? []) minutes.set(one.from, one);
  const rows = [...minutes.values()].sort((a, b) => Date.parse(a.from) - Date.parse(b.from)).slice(-history.minutes.length);
  const marks = new Map([...history.marks, ...(newest?.marks ?? [])].map((one) => [`${one.at} ${one.kind} ${one.what}`, one]));
  return { rows, marks: [...marks.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)) };
}

function columns(rows) {
  const at = rows.map((one) => Date.parse(one.from) / 1000);
  const of = (pick) => rows.map((one) => (one.hole ? null : pick(one)));
  return {
    events: [at, of((one) => one.published + one.failed), of((one) => one.published)],
    waits: [at, rows.map((one) => one.lag)],
    times: [at, of((one) => drawnMillis(one.p99Ms)), of((one) => drawnMillis(one.p50Ms))],
  };
}

/** The numbers of one minute, in words. */
function Readout({ row, utc }) {
  if (!row) return null;
  const at = moment(Date.parse(row.from), utc);
  if (row.hole) return html`<p class="readout"><b>${at}</b> no events</p>`;
  return html`<p class="readout"><b>${at}</b>
    <span class="key published">published ${number(row.published)}</span><span class="key failed">failed ${number(row.failed)}</span>
    <span class="key filtered">filtered ${number(row.filtered)}</span><span class="key inFlight">waiting ${number(row.lag)}</span>
    <span class="key p50">p50 ${millis(row.p50Ms)}</span><span class="key p99">p99 ${millis(row.p99Ms)}</span></p>`;
}

const Table = ({ rows, utc }) => html`<details class="astable"><summary>As a table</summary>
  <div class="wide" tabindex="0" role="region" aria-label="Each minute"><table>
    <thead><tr><th>Minute</th>${["Published", "Failed", "Filtered", "Waiting", "p50", "p99"].map((name) => html`<th class="num" key=${name}>${name}</th>`)}</tr></thead>
    <tbody>${rows.filter((one) => !one.hole).slice(-60).reverse().map((one) => html`<tr key=${one.from}><td>${moment(Date.parse(one.from), utc)}</td>
      ${[number(one.published), number(one.failed), number(one.filtered), number(one.lag), millis(one.p50Ms), millis(one.p99Ms)].map((text, index) => html`<td class="num" key=${index}>${text}</td>`)}</tr>`)}</tbody>
  </table></div></details>`;

export function Strip({ range, newest }) {
  const history = useAsk(withQuery("/api/history/", { range }), { every: MINUTE_MS });
  const utc = isUtc(useParams());
  const [point, setPoint] = useState(null);
  useStore(colours);
  const { rows, marks } = useMemo(() => merged(history.data, newest) ?? { rows: [], marks: [] }, [history.data, newest]);
  const data = useMemo(() => columns(rows), [rows]);
  useEffect(() => setPoint(null), [range]);
  const under = (plot) => drawHoles(plot, rows);
  const over = (plot) => drawMarks(plot, marks);
  const seconds = data.events[0];
  const xRange = seconds.length ? [seconds[0], seconds.at(-1) + MINUTE_MS / 1000] : null;
  const shared = { utc, xRange, group: "strip", under, over, onPoint: setPoint };
  const some = rows.some((one) => !one.hole);
  return html`<${Panel} id="strip" title="Each minute" class="strip" more=${html`<${Readout} row=${rows[point ?? rows.length - 1]} utc=${utc} />`}>
    <${Problem} error=${history.error} again=${history.reload} />
    ${rows.length > 0 && html`
      <h3>Events</h3>
      <${Chart} ...${shared} key=${`events ${range}`} label="Published and failed events of each minute" data=${data.events} height=${150}
        series=${[{ label: "failed", color: "bad", fill: "bad", bars: true }, { label: "published", color: "good-bar", fill: "good-bar", bars: true }]} format=${number} />
      <h3>Waiting</h3>
      <${Chart} ...${shared} key=${`waits ${range}`} label="Events that waited, most of each minute" data=${data.waits} height=${80}
        series=${[{ label: "waiting", color: "accent", fill: "accent-soft" }]} format=${number} />
      <h3>Latency</h3>
      <${Chart} ...${shared} key=${`times ${range}`} label="Latency of each minute, half and 99 of 100" data=${data.times} height=${106} last
        series=${[{ label: "p99", color: "violet" }, { label: "p50", color: "accent" }]} format=${millis} />
      ${!some && html`<${Empty}>No events in this time.</${Empty}>`}
      <${MarkList} marks=${marks} />
      <${Table} rows=${rows} utc=${utc} />`}
  </${Panel}>`;
}
