// What may be done: stages are paused and go on, and what stands still is resumed; each on record, for the whole group.
import { html, useState } from "../shell/html.js";
import { post } from "../shell/api.js";
import { sentence } from "../shell/parts.js";
import { span, Time } from "../shell/time.js";

/** The stage of each place that can be paused, as the worker calls it. */
export const STAGES = { source: "source", process: "process", sink: "sink", mirror: "failures" };

/** A button that asks the worker for something, and says what it answered when that is not what was wanted. */
export function Act({ path, body, words, kind = "", done }) {
  const [state, setState] = useState({ busy: false, error: null });
  const act = async () => {
    setState({ busy: true, error: null });
    try {
      const answer = await post(path, body);
      const failed = answer.workers?.find((worker) => worker.error);
      setState({ busy: false, error: failed ? new Error(`${failed.worker}: ${failed.error}`) : null });
      if (!failed) done?.();
    } catch (error) {
      setState({ busy: false, error });
    }
  };
  return html`<button type="button" class=${kind} disabled=${state.busy} onClick=${act}>${words}</button>
    ${state.error && html`<span class="bad" role="alert">${sentence(state.error.message)}</span>`}`;
}

/** Pausing a stage: asked for twice, with the reason that others will read. */
export function PauseStage({ stage, paused }) {
  const [asked, setAsked] = useState(false);
  const [why, setWhy] = useState("");
  if (paused) return html`<div class="row tight"><${Act} path="/api/resume/${stage}/" words="Resume ${stage}" kind="primary" /></div>`;
  if (!asked) return html`<button type="button" onClick=${() => setAsked(true)}>Pause ${stage}…</button>`;
  return html`<form class="row tight pausing" onSubmit=${(event) => event.preventDefault()}>
    <label for="why">Why</label><input id="why" maxlength="500" value=${why} placeholder="for who reads it later" autofocus onInput=${(event) => setWhy(event.target.value)} />
    <${Act} path="/api/pause/${stage}/" body=${why ? { why } : {}} words="Pause ${stage} in the whole group" kind="danger" done=${() => setAsked(false)} />
    <button type="button" onClick=${() => setAsked(false)}>Leave it</button></form>`;
}

function Item({ words, action }) {
  return html`<li><span>${words}</span>${action && html`<span class="row tight">${action}</span>`}</li>`;
}

/** Troubles that somebody can end from here, by the part of health that names them. */
const CURES = {
  routes: { path: "/api/resume/", words: "Let it go on" },
  expired: { path: "/api/acknowledge/", words: "Acknowledge" },
};

const cureOf = (part) => Object.entries(CURES).find(([name]) => part === name || part.startsWith(`${name} `))?.[1];

/** All that keeps the group from working, in health's words, each with what may be done about it. */
export function Todo({ status }) {
  const pauses = status.paused ?? [];
  const troubles = new Map();
  for (const worker of status.workers) {
    if (worker.state === "gone") continue;
    for (const [part, trouble] of Object.entries(worker.troubles)) troubles.set(`${part} ${trouble.reason}`, { part, worker, ...trouble });
  }
  const said = [...troubles.values()];
  const rest = status.reasons.filter((reason) => !said.some((one) => reason.includes(one.reason)) && !pauses.some((one) => reason.startsWith(`${one.stage} is paused`)));
  if (!pauses.length && !said.length && !rest.length) return null;
  return html`<div class="note ${said.length || rest.length ? "bad" : "warn"} todo" role="alert"><ul>
    ${pauses.map((one) => html`<${Item} key=${`paused ${one.stage}`} words=${html`<b>${one.stage}</b> is paused by ${one.by}, <${Time} at=${one.since} />${one.why ? `: ${one.why}` : ""}`}
      action=${html`<${Act} path="/api/resume/${one.stage}/" words="Resume ${one.stage}" />`} />`)}
    ${said.map((one) => {
      const cure = cureOf(one.part);
      return html`<${Item} key=${one.part + one.reason} words=${html`<b>${one.part}</b>: ${sentence(one.reason)} <span class="since">${one.seconds ? `For ${span(one.seconds)}.` : ""}</span>`}
        action=${cure && html`<${Act} path=${cure.path} words=${cure.words} />`} />`;
    })}
    ${rest.map((reason) => html`<${Item} key=${reason} words=${sentence(reason)} />`)}
  </ul></div>`;
}
