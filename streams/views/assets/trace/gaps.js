// Gaps on the source, on a line of time for each part: what was missed, what was fetched, and fetching it by hand.
import { html, useEffect, useRef, useState } from "../shell/html.js";
import { ask, post, useAsk, withQuery } from "../shell/api.js";
import { Badge, Empty, number, Panel, Problem, RangeChoice } from "../shell/parts.js";
import { clock, isUtc, moment, seconds, span, Time } from "../shell/time.js";
import { useParams } from "../shell/url.js";

const KINDS = { healed: "good", "partly healed": "warn", open: "accent", lost: "bad", expired: "bad", acknowledged: "" };
const EVERY_MS = 5_000;
const POLL_MS = 1_000;
const TICKS = 6;

const kindOf = (gap) => KINDS[gap.state] ?? "warn";
const nameOf = (gap) => gap.source;

function Axis({ since, until, utc }) {
  const step = (until - since) / TICKS;
  const told = until - since > 36 * 3_600_000 ? moment : until - since < 20 * 60_000 ? seconds : clock;
  return html`<div class="axis" aria-hidden="true">${Array.from({ length: TICKS + 1 }, (_, index) => since + index * step).map((at, index) => html`
    <span key=${index} style=${{ left: `${(100 * index) / TICKS}%` }}>${told(at, utc)}</span>`)}</div>`;
}

function Lane({ name, gaps, since, until, onPick }) {
  const percent = (at) => (100 * (Math.min(Math.max(at, since), until) - since)) / (until - since);
  return html`<div class="lane"><span class="lanename">${name}</span><div class="track">
    ${gaps.map((gap) => {
      const begin = percent(Date.parse(gap.from));
      const width = Math.max(0.4, percent(Date.parse(gap.to)) - begin);
      return html`<button type="button" key=${gap.from} class="gap ${kindOf(gap)}" style=${{ left: `${Math.min(begin, 99.6)}%`, width: `${width}%` }}
        aria-label="${name}: ${gap.state}, ${span(gap.seconds)} from ${gap.from}" title="${gap.state}, ${span(gap.seconds)}" onClick=${() => onPick(gap)}></button>`;
    })}</div></div>`;
}

/** One gap fetched by hand: rehearsed first, so that who looks knows what would come. */
function Backfill({ gap, possible }) {
  const [run, setRun] = useState(null);
  const [error, setError] = useState(null);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const follow = async (ident) => {
    try {
      const told = await ask(`/api/backfill/${ident}/`);
      setRun(told);
      if (told.state === "running") timer.current = setTimeout(() => follow(ident), POLL_MS);
    } catch (problem) {
      setError(problem);
    }
  };
  const begin = async (dryRun) => {
    setError(null);
    try {
      const told = await post("/api/backfill/", { from: gap.from, to: gap.to, dryRun });
      setRun(told);
      timer.current = setTimeout(() => follow(told.id), POLL_MS);
    } catch (problem) {
      setError(problem);
    }
  };
  if (!gap.command) return null;
  if (!possible || !gap.fetchable) return html`<details class="command"><summary>Command</summary><pre tabindex="0">${gap.command}</pre></details>`;
  const running = run?.state === "running";
  return html`<div class="backfill">
    ${!run && html`<button type="button" onClick=${() => begin(true)}>Backfill this…</button>`}
    ${running && html`<span role="status">${run.dryRun ? "asking what there is…" : "fetching…"}</span>`}
    ${run?.state === "done" && run.dryRun && html`<span>${number(run.read)} events there.</span>
      <button type="button" class="primary" disabled=${!run.read} onClick=${() => begin(false)}>Write them to raw</button>`}
    ${run?.state === "done" && !run.dryRun && html`<span class="good">${number(run.written)} written to raw${run.failed ? `, ${number(run.failed)} failed` : ""}.</span>`}
    ${run?.state === "failed" && html`<span class="bad">${run.message}</span> <button type="button" onClick=${() => begin(run.dryRun)}>Again</button>`}
    <${Problem} error=${error} />
    <details class="command"><summary>Command</summary><pre tabindex="0">${gap.command}</pre></details>
  </div>`;
}

function Row({ gap, possible, chosen }) {
  const row = useRef(null);
  useEffect(() => { if (chosen) row.current?.scrollIntoView({ block: "nearest" }); }, [chosen]);
  return html`<tr ref=${row} class=${chosen ? "chosen" : ""}>
    <th scope="row">${nameOf(gap)}</th><td><${Time} at=${gap.from} /></td><td class="num">${span(gap.seconds)}</td>
    <td><${Badge} kind=${kindOf(gap)}>${gap.state}<//>${gap.reason && html`<p class="muted reason">${gap.reason}</p>`}</td>
    <td class="num">${number(gap.events)}</td><td><${Backfill} gap=${gap} possible=${possible} /></td></tr>`;
}

export function Gaps() {
  const params = useParams();
  const range = params.get("range") ?? "24h";
  const utc = isUtc(params);
  const { data, error, reload } = useAsk(withQuery("/api/gaps/", { range }), { every: EVERY_MS });
  const [picked, setPicked] = useState(null);
  const gaps = data?.gaps ?? [];
  const lanes = [...new Set(gaps.map(nameOf))].sort();
  const [since, until] = data ? [Date.parse(data.from), Date.parse(data.to)] : [0, 1];
  const key = (gap) => `${nameOf(gap)} ${gap.from}`;
  return html`<${Panel} id="gaps" title="Gaps" more=${html`<${RangeChoice} value=${range} more=${[["7d", "7 days"]]} />`}>
    <${Problem} error=${error} again=${reload} />
    ${data && !gaps.length && html`<${Empty}>Nothing was missed in this time.<//>`}
    ${gaps.length > 0 && html`
      <div class="lanes">${lanes.map((name) => html`<${Lane} key=${name} name=${name} gaps=${gaps.filter((gap) => nameOf(gap) === name)}
        since=${since} until=${until} onPick=${(gap) => setPicked(key(gap))} />`)}<${Axis} since=${since} until=${until} utc=${utc} /></div>
      <p class="legend">${Object.entries(KINDS).filter(([state]) => gaps.some((gap) => gap.state === state)).map(([state, kind]) => html`<span key=${state}><i class="gap ${kind}"></i> ${state}</span>`)}</p>
      <div class="wide" role="region" aria-label="Table of the gaps" tabindex="0"><table>
        <thead><tr><th scope="col">Where</th><th scope="col">From</th><th scope="col" class="num">Length</th><th scope="col">State</th>
          <th scope="col" class="num">Events</th><th scope="col">By hand</th></tr></thead>
        <tbody>${gaps.slice(0, 200).map((gap) => html`<${Row} key=${key(gap)} gap=${gap} possible=${data.backfill} chosen=${picked === key(gap)} />`)}</tbody>
      </table></div>
      ${gaps.length > 200 && html`<p class="muted">The newest 200 of ${number(gaps.length)} are listed.</p>`}`}
  <//>`;
}
