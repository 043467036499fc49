// Failures that have one cause, put together; the one seen last comes first.
import { html } from "../shell/html.js";
import { Badge, Empty, number, Panel } from "../shell/parts.js";
import { Time } from "../shell/time.js";
import { href } from "../shell/url.js";
import { isCluster, NOTHING, ofCluster } from "./filters.js";

const [WIDTH, HEIGHT] = [96, 22];

/** How often it happened over the time, as bars. */
function Trend({ counts }) {
  const most = Math.max(1, ...counts);
  const step = WIDTH / counts.length;
  return html`<svg class="trend" width=${WIDTH} height=${HEIGHT} viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Trend: most ${most} of a ${counts.length}th of the time">
    <path class="floor" d="M0 ${HEIGHT - 0.5}H${WIDTH}" />
    ${counts.map((count, index) => count > 0 && html`<rect key=${index} x=${index * step} width=${step - 0.8} y=${HEIGHT - Math.max(2, (count / most) * HEIGHT)} height=${Math.max(2, (count / most) * HEIGHT)} />`)}
  </svg>`;
}

const TONES = { publish: "warn", validate: "accent", transform: "accent" };

function Row({ cluster, chosen }) {
  const address = href(chosen ? NOTHING : ofCluster(cluster));
  return html`<tr class=${chosen ? "chosen" : ""}>
    <td><a class="cluster" href=${address} aria-current=${chosen ? "true" : null}><b>${cluster.error || "not a failure record"}</b></a>
      ${cluster.path && html`<code class="path">${cluster.path}</code>`}</td>
    <td><${Badge} kind=${TONES[cluster.stage] ?? ""}>${cluster.stage || "?"}</${Badge}></td>
    <td>${cluster.route || html`<span class="muted">–</span>`}</td>
    <td><${Trend} counts=${cluster.trend} /></td>
    <td><${Time} at=${cluster.first} /></td><td><${Time} at=${cluster.last} /></td>
    <td class="num ${cluster.open ? "bad" : ""}"><b>${number(cluster.open)}</b></td><td class="num">${number(cluster.redriven)}</td></tr>`;
}

const NONE = { open: "Nothing is open in this time.", redriven: "Nothing of this time was redriven.", all: "Nothing failed in this time." };

/** How much was read for it. */
function Depth({ found }) {
  if (found.complete) return html`<p class="muted small depth">${number(found.scanned)} records read: all of this time.</p>`;
  return html`<p class="note warn"><span>The newest ${number(found.scanned)} records were read; what failed before <${Time} at=${found.backTo} /> is not counted.
    Choose a shorter time to see all of it.</span></p>`;
}

export function Clusters({ found, filters, state }) {
  const { clusters } = found;
  const total = clusters.reduce((sum, one) => sum + one.open, 0);
  return html`<${Panel} id="clusters" title="By cause" more=${clusters.length ? html`<span data-count="open">${number(total)}</span> open` : ""}>
    ${!clusters.length ? html`<${Empty}>${NONE[state]}</${Empty}>` : html`<div class="wide" tabindex="0" role="region" aria-label="By cause"><table class="clusters">
      <thead><tr><th>Error, and what violates the schema</th><th>Stage</th><th>Route</th><th>Trend</th><th>First</th><th>Last</th><th class="num">Open</th><th class="num">Redriven</th></tr></thead>
      <tbody>${clusters.map((one) => html`<${Row} key=${[one.route, one.stage, one.error, one.path].join("|")} cluster=${one} chosen=${isCluster(filters, one)} />`)}</tbody>
    </table></div>`}
    <${Depth} found=${found} />
  </${Panel}>`;
}
