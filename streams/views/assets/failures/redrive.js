// A redrive in three steps, each in the address by the run's name: a rehearsal, its result, and the redrive itself.
import { html, useEffect, useRef, useState } from "../shell/html.js";
import { post, useAsk } from "../shell/api.js";
import { Badge, number, Panel, Problem } from "../shell/parts.js";
import { param, setParams } from "../shell/url.js";
import { pickedOf } from "./list.js";

const LOOK_MS = 600;

/** What is meant: the picked records, or all that the filters mean in the time of the list. */
function bodyOf(found, filters, picked, rate) {
  const records = picked.map((one) => one.split("/").map(Number));
  const what = records.length ? { records } : { ...filters, from: found.from, to: found.to };
  return rate ? { ...what, rate } : what;
}

function Bar({ job }) {
  const share = job.total ? Math.min(100, (job.read / job.total) * 100) : job.state === "running" ? 2 : 100;
  return html`<div class="progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(share)}><i style=${{ width: `${share}%` }}></i></div>`;
}

const targets = (job) => Object.entries(job.targets).map(([topic, count]) => `${number(count)} to ${topic}`).join(", ");

function Told({ job }) {
  const isOver = job.state !== "running";
  const verb = job.dryRun ? (isOver ? "would go back" : "would go back, of what was looked at so far") : isOver ? "went back" : "gone back so far";
  return html`<div class="told"><p><b>${number(job.redriven)}</b> ${verb}${targets(job) && `: ${targets(job)}`}. ${job.skipped > 0 && html`<b>${number(job.skipped)}</b> stay:`}</p>
    ${job.reasons.length > 0 && html`<ul>${job.reasons.map(({ reason, count }) => html`<li key=${reason}>${number(count)}: ${reason}</li>`)}</ul>`}
    ${job.message && html`<p class="bad">${job.message}</p>`}</div>`;
}

function Step({ job, busy, go, stop, leave }) {
  if (job.state === "running") {
    return html`<${Bar} job=${job} /><${Told} job=${job} /><button type="button" onClick=${stop}>Stop</button>`;
  }
  if (job.dryRun) {
    return html`<${Told} job=${job} /><div class="row tight">
      ${job.state === "done" && job.redriven > 0 && html`<button class="primary" type="button" disabled=${busy} onClick=${go}>Redrive ${number(job.redriven)}</button>`}
      <button type="button" onClick=${leave}>${job.redriven ? "Leave it" : "Close"}</button></div>`;
  }
  return html`<p><${Badge} kind=${job.state === "done" ? "good" : "bad"}>${job.state}</${Badge}> <code>${job.id}</code></p><${Told} job=${job} /><button type="button" onClick=${leave}>Close</button>`;
}

function Running({ run, begin, busy, onDone }) {
  const [every, setEvery] = useState(LOOK_MS);
  const { data: job, error } = useAsk(`/api/redrive/${run}/`, { every });
  const told = useRef(false);
  const ended = job && job.state !== "running";
  useEffect(() => {
    if (!ended) return;
    setEvery(0);
    if (!job.dryRun && !told.current) { told.current = true; onDone(); }
  }, [ended]);
  const leave = () => setParams({ redrive: null, picked: job && !job.dryRun ? null : param("picked") }, { replace: true });
  if (error && !job) return html`<${Problem} error=${error} /><button type="button" onClick=${leave}>Close</button>`;
  if (!job) return html`<p class="muted">Looking…</p>`;
  // The very time of the rehearsal, so that what failed since is not taken along.
  return html`<${Step} job=${job} busy=${busy} leave=${leave} stop=${() => post(`/api/redrive/${run}/stop/`)}
    go=${() => begin(false, job.rate, { ...(job.from ? { from: job.from } : {}), ...(job.to ? { to: job.to } : {}) })} />`;
}

export function Redrive({ found, filters, onDone }) {
  const [rate, setRate] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const run = param("redrive");
  const picked = pickedOf(param("picked"));
  const open = found.clusters.reduce((sum, one) => sum + one.open, 0);
  const begin = async (dryRun, chosenRate, time = {}) => {
    setBusy(true);
    setProblem(null);
    try {
      const body = bodyOf(found, filters, picked, chosenRate);
      const job = await post("/api/redrive/", { ...body, ...(picked.length ? {} : time), dryRun });
      setParams({ redrive: job.id }, { replace: true });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (!run && !open && !picked.length) return null;
  const what = picked.length ? `the ${number(picked.length)} picked` : `${number(open)} open${Object.keys(filters).length ? " of these" : ""}`;
  return html`<${Panel} id="redrive" title="Redrive" class="redrive" more="takes events back to where they failed">
    <${Problem} error=${problem} />
    ${run ? html`<${Running} key=${run} run=${run} begin=${begin} busy=${busy} onDone=${onDone} />` : html`
      <form class="row" onSubmit=${(event) => { event.preventDefault(); begin(true, Number(rate) || null); }}>
        <button class="primary" type="submit" disabled=${busy}>Preview ${what}</button>
        <label for="rate">at most</label><input id="rate" class="short" type="number" min="0.1" step="any" inputmode="decimal" placeholder="no limit" value=${rate} onInput=${(event) => setRate(event.target.value)} /><span class="muted">events a second</span>
      </form>`}
  </${Panel}>`;
}
