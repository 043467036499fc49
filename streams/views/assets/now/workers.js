// The workers of the group, by their own last words.
import { html } from "../shell/html.js";
import { Badge, Empty, Panel, sentence } from "../shell/parts.js";
import { span } from "../shell/time.js";

function Troubles({ worker }) {
  const found = Object.entries(worker.troubles);
  if (!found.length) return html`<span class="muted">none</span>`;
  return html`<ul class="plain">${found.map(([part, { reason, seconds }]) => html`<li key=${part}><strong>${part}</strong>: ${sentence(reason)}
    ${seconds !== undefined && html`<span class="muted"> For ${span(seconds)}.</span>`}</li>`)}</ul>`;
}

const shortTopic = (topic) => topic.split(".").at(-1);

function State({ worker }) {
  if (worker.state === "gone") return html`<${Badge} kind="bad">gone</${Badge}>`;
  if (worker.paused) return html`<${Badge} kind="warn">paused</${Badge}>`;
  return Object.keys(worker.troubles).length ? html`<${Badge} kind="warn">in trouble</${Badge}>` : html`<${Badge} kind="good">running</${Badge}>`;
}

export function Workers({ status }) {
  const workers = status?.workers ?? [];
  return html`<${Panel} id="workers" title="Workers" more=${workers.length ? `${workers.length} in the group` : ""}>
    ${!workers.length ? html`<${Empty}>No worker has said anything yet; each does every five seconds.</${Empty}>` : html`
    <div class="wide" tabindex="0" role="region" aria-label="Workers"><table>
      <thead><tr><th>Worker</th><th>State</th><th>Partitions</th><th>Troubles</th><th>Version</th><th class="num">Last word</th></tr></thead>
      <tbody>${workers.map((worker) => html`<tr key=${worker.name}>
        <td class="mono">${worker.name}</td>
        <td><${State} worker=${worker} /></td>
        <td class="small">${Object.entries(worker.partitions).map(([topic, numbers]) => html`<span class="parts" key=${topic}>${shortTopic(topic)} <b>${numbers.length}</b></span>`)}</td>
        <td><${Troubles} worker=${worker} /></td>
        <td>${worker.version}</td>
        <td class="num">${span(worker.secondsAgo)} ago</td></tr>`)}</tbody>
    </table></div>`}
  </${Panel}>`;
}
