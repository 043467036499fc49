// The story of an event, or of a conversation: what happened to it, in order.
import { html } from "../shell/html.js";
import { Badge, Empty, number } from "../shell/parts.js";
import { span, Time } from "../shell/time.js";
import { pageHref } from "../shell/url.js";

const OUTCOMES = { mapped: "good", failed: "bad", filtered: "", repeated: "warn" };

const Place = ({ step }) => html`<code>${step.topic} ${step.partition}/${step.offset}</code>`;
const Route = ({ name }) => (name ? html`<a href=${pageHref("routes", { route: name })}>${name}</a>` : html`<span>no route</span>`);

/** How each kind of step is told: `[kind of its dot, title, details]`. */
const TOLD = {
  received: (step) => ["", "Received from the source", html`${step.what}`],
  raw: (step) => ["", step.run ? `Written again by ${step.run.split("-")[0]}` : "In raw", html`<${Place} step=${step} />
    ${" "}<a href=${pageHref("routes", { event: `raw:${step.partition}:${step.offset}` })}>Try it on routes</a>`],
  replayed: (step) => ["accent", "Replayed", html`by run <code>${step.run}</code>`],
  backfilled: (step) => ["accent", "Fetched afterwards", html`by run <code>${step.run}</code>`],
  route: (step) => [OUTCOMES[step.outcome], ROUTED[step.outcome], html`<${Tried} routes=${step.routes} />`],
  validated: (step) => ["", "On its way to the bus", html`<${Place} step=${step} /> by route <${Route} name=${step.route} />`],
  attempt: (step) => ["warn", `Attempt ${step.number} was refused`, html`<code>${step.code}</code>`],
  published: (step) => ["good", "On the bus", step.entryId
    ? html`EventBridge id <code>${step.entryId}</code>${step.attempts > 1 ? html`, at attempt ${step.attempts}` : ""}`
    : html`<span class="muted">told from Kafka: ${step.inferred}; its worker does not remember EventBridge's id any more</span>`],
  failed: (step) => ["bad", `Failed: ${step.error}`, html`<p>${step.stage} ${step.route && html`in route <${Route} name=${step.route} />`}${step.retryAttempt ? `, after ${step.retryAttempt} further attempts` : ""}: ${step.message}</p>
    ${step.details.length > 0 && html`<ul class="violations">${step.details.slice(0, 20).map((one, index) => html`<li key=${index}><code>${one.path || "the event"}</code> ${one.message || one.rule}</li>`)}</ul>`}
    <p><${Place} step=${step} /> <a href=${pageHref("failures", { event: step.eventId || null, key: step.eventId ? null : step.key, range: "7d" })}>See the failure</a></p>`],
  redriven: (step) => ["accent", "Redriven", html`by run <code>${step.run}</code> into ${step.into}${step.route ? html` for route <${Route} name=${step.route} />` : ""}`],
  waiting: (step) => ["warn", `Waits on ${step.on}`, html`<span class="muted">no worker has ended it yet</span>`],
  gap: (step) => ["warn", `A gap of ${step.source}: ${step.state}`, html`until <${Time} at=${step.to} />, ${number(step.events)} events fetched${step.reason ? html`; ${step.reason}` : ""}`],
};

/** The routes that did something with an event, and how many left it. */
function Tried({ routes }) {
  const did = routes.filter((one) => one.outcome !== "filtered");
  const left = routes.filter((one) => one.outcome === "filtered");
  return html`<ul class="routes">${did.map((one) => html`<li key=${one.route}>
      <${Route} name=${one.route} /> <${Badge} kind=${OUTCOMES[one.outcome]}>${one.outcome}<//></li>`)}
    ${left.length > 0 && html`<li class="muted">${left.map((one) => one.route).join(", ")} ${left.length > 1 ? "leave" : "leaves"} it</li>`}</ul>`;
}

const ROUTED = { mapped: "Mapped", failed: "A route failed", filtered: "No route takes it", repeated: "Put out before: dropped as repeated" };

function Step({ step, before }) {
  const [kind, title, details] = (TOLD[step.kind] ?? (() => ["", step.kind, ""]))(step);
  const since = step.at && before ? (Date.parse(step.at) - Date.parse(before)) / 1000 : null;
  return html`<li class="step ${kind} ${step.kind === "waiting" ? "still" : ""}">
    <span class="when">${step.at ? html`<${Time} at=${step.at} />` : html`<span class="muted" title="Not known to the moment">·</span>`}
      ${since !== null && since > 0 && html`<small class="muted">+${since < 1 ? `${Math.round(since * 1000)} ms` : span(since)}</small>`}</span>
    <div><h3>${title}</h3><div class="what">${details}</div></div>
  </li>`;
}

function Line({ steps }) {
  let before = null;
  return html`<ol class="timeline">${steps.map((step, index) => {
    const drawn = html`<${Step} key=${index} step=${step} before=${before} />`;
    before = step.at ?? before;
    return drawn;
  })}</ol>`;
}

/** In a word what became of an event: its last step but for what does not end it. */
function endOf(steps) {
  const last = steps.filter((step) => ["published", "failed", "route", "waiting"].includes(step.kind)).at(-1);
  if (!last) return ["", "in raw"];
  if (last.kind === "published") return ["good", "published"];
  if (last.kind === "failed") return ["bad", `failed: ${last.error}`];
  if (last.kind === "waiting") return ["warn", `waits on ${last.on}`];
  return [OUTCOMES[last.outcome], last.outcome];
}

/** The steps by event, in the order in which the events came; what belongs to none stands apart. */
function byEvent(steps) {
  const groups = new Map();
  for (const step of steps) {
    if (!step.eventId) continue;
    groups.set(step.eventId, [...(groups.get(step.eventId) ?? []), step]);
  }
  return groups;
}

function EventStory({ ident, steps, open }) {
  const [kind, words] = endOf(steps);
  const what = steps.find((step) => step.what)?.what ?? "event";
  const at = steps.find((step) => step.at)?.at;
  const refused = steps.filter((step) => step.kind === "attempt").length;
  return html`<details class="eventstory" open=${open}>
    <summary><${Time} at=${at} /> <span class="name">${what}</span>
      ${refused > 0 && html`<${Badge} kind="warn">${refused} refused ${refused === 1 ? "attempt" : "attempts"}<//>`} <${Badge} kind=${kind}>${words}<//></summary>
    <p class="muted ids"><a href=${pageHref("trace", { id: ident })}><code>${ident}</code></a></p>
    <${Line} steps=${steps} />
  </details>`;
}

export function Story({ found }) {
  if (!found.steps.length) return null;
  const groups = [...byEvent(found.steps)];
  const apart = found.steps.filter((step) => !step.eventId);
  if (groups.length <= 1) return html`<${Line} steps=${found.steps} />`;
  const ends = groups.map(([, steps]) => endOf(steps)[1].split(":")[0]);
  const counts = [...new Set(ends)].map((end) => [end, ends.filter((one) => one === end).length]);
  return html`<p>${number(groups.length)} events: ${counts.map(([end, count], index) => html`${index ? ", " : ""}<b>${number(count)}</b> ${end}`)}.</p>
    ${apart.length > 0 && html`<${Line} steps=${apart} />`}
    ${groups.map(([ident, steps]) => html`<${EventStory} key=${ident} ident=${ident} steps=${steps} open=${false} />`)}`;
}

/** How far the look went, where that is not all there is. */
export function Reach({ found, onEarlier }) {
  const kept = Object.entries(found.kept);
  return html`<div class="reach muted">
    <p>${number(found.read)} records were looked through${found.complete ? "" : html`, back to <${Time} at=${found.searchedSince} />`}.
      ${kept.length > 0 && html` Kafka has deleted what is older: ${kept.map(([topic, at], index) => html`${index ? ", " : ""}${topic} begins at <${Time} at=${at} />`)}.`}
      ${found.unheard.length > 0 && html` ${found.unheard.join(", ")} did not answer: attempts and EventBridge's ids of that worker are missing.`}</p>
    ${!found.complete && found.searchedSince && html`<button type="button" onClick=${() => onEarlier(found.searchedSince)}>Look further back</button>`}
  </div>`;
}

export const Nothing = ({ found }) => html`<${Empty}>Nothing in <code>raw</code>, <code>validated</code> or <code>failures</code> names <code>${found.id}</code>${found.complete ? "" : " as far as was looked"}.<//>`;
