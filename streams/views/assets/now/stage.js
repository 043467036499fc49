// One place of the flow: its partitions or its troubles, and what may be done about it.
import { html } from "../shell/html.js";
import { Badge, Empty, number, rate, sentence } from "../shell/parts.js";
import { span } from "../shell/time.js";
import { href } from "../shell/url.js";
import { PauseStage, STAGES } from "./actions.js";
import { places, waiting } from "./state.js";

const TELLS = {
  source: "Reads what Genesys sends and writes it to raw; reading pauses when Kafka does not take it.",
  raw: "Every event as it came, in order by conversation.",
  process: "Tries each event on every route: filter, mapping, schema.",
  validated: "What routes made of events, ready to be sent.",
  sink: "Sends to EventBridge in requests of up to ten, and waits out what is nobody's event's fault.",
  failures: "What could not be mapped or sent, with its cause.",
  mirror: "Copies failures to the dead-letter queue.",
};

const READS = { process: "raw", sink: "validated", mirror: "failures" };

function Partitions({ waits, status }) {
  const owner = (partition) => status?.workers.find((worker) => worker.partitions[waits.topic]?.includes(partition))?.name;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Partitions"><table>
    <thead><tr><th>Partition</th><th class="num">End</th><th class="num">Committed</th><th class="num">Waiting</th><th class="num">Oldest</th><th class="num">Last commit</th><th>Worker</th></tr></thead>
    <tbody>${waits.partitions.map((one) => html`<tr key=${one.partition}>
      <td>${one.partition}</td><td class="num">${number(one.end)}</td><td class="num">${number(one.committed)}</td>
      <td class="num">${number(one.lag)}</td><td class="num">${one.lag ? span(one.lagSeconds) : "–"}</td>
      <td class="num">${one.secondsSinceCommit === null ? "–" : `${span(one.secondsSinceCommit)} ago`}</td>
      <td class="mono">${owner(one.partition) ?? html`<span class="bad">nobody</span>`}</td></tr>`)}</tbody>
  </table></div>`;
}

export function StageDetail({ name, known }) {
  const place = places(known)[name];
  if (!place || place.kind === "end") return html`<${Empty}>There is no such place in the flow.</${Empty}>`;
  const waits = waiting(known, READS[name] ?? name);
  return html`<section class="detail" aria-labelledby="detail-title">
    <header><h3 id="detail-title">${place.title}</h3><span class="muted">${TELLS[name]}</span>
      <a class="close" href=${href({ stage: null })} aria-label="Close ${place.title}">✕</a></header>
    ${place.troubles.map((one) => html`<p class="note bad" key=${one.part + one.worker}><span>${sentence(one.reason)}
      <span class="muted"> ${one.worker}${one.seconds ? `, for ${span(one.seconds)}` : ""}</span></span></p>`)}
    ${waits && html`<p class="row"><${Badge}>${rate(waits.in)} /s in</${Badge}><${Badge}>${rate(waits.out)} /s out</${Badge}>
      <${Badge} kind=${waits.lag ? "accent" : "good"}>${number(waits.lag)} waiting</${Badge}></p>
      <${Partitions} waits=${waits} status=${known.status} />`}
    ${STAGES[name] && html`<${PauseStage} stage=${STAGES[name]} paused=${place.paused} />`}
  </section>`;
}
