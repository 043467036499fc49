// The ledger line: every event that is in must have an end, or be on its way to one.
import { html } from "../shell/html.js";
import { Badge, number, Panel } from "../shell/parts.js";
import { pageHref } from "../shell/url.js";

const PARTS = [
  ["published", "published", "on the bus"],
  ["filtered", "filtered", "no route wants them"],
  ["failed", "failed", "open, with their cause"],
  ["repeated", "repeated", "dropped as repeated"],
  ["expired", "expired", "deleted by Kafka before they were processed"],
  ["inFlight", "in flight", "on their way"],
];

/** The parts that are shown: that nothing expired needs no place. */
const partsOf = (report) => PARTS.filter(([name]) => name !== "expired" || report.expired);

/** What is in, less all that has an end or is on its way, and what Kafka does not know of; 0 when the law holds. */
export const difference = (report) =>
  report.missing || report.raw - PARTS.reduce((sum, [name]) => sum + (report[name] || 0), 0);

function Verdict({ report }) {
  if (report.balanced) return html`<${Badge} kind="good">✓ balanced</${Badge}>`;
  const found = difference(report);
  return html`<${Badge} kind="bad">✕ ${found ? `${number(Math.abs(found))} ${found > 0 ? "missing" : "too many"}` : "not balanced"}</${Badge}>`;
}

const BESIDE = [
  ["redriven", "redriven"], ["sentAgain", "sent again"], ["healed", "healed from gaps"], ["replayed", "replayed"],
  ["backfilled", "backfilled"], ["source_repeats", "repeated by the source"], ["retries", "retries"],
];

export function Ledger({ report }) {
  if (!report) return html`<${Panel} id="ledger" title="Ledger" class="ledger"><p class="muted">–</p></${Panel}>`;
  const beside = BESIDE.filter(([name]) => report[name]);
  return html`<${Panel} id="ledger" title="Ledger" class="ledger ${report.balanced ? "balanced" : "off"}" more=${html`<${Verdict} report=${report} />`}>
    <div class="law" id="law">
      <div class="term raw"><span class="value" data-count="raw">${number(report.raw)}</span><span class="name">in <code>raw</code></span></div>
      ${partsOf(report).map(([name, words, help], index) => html`
        <span class="sign" aria-hidden="true" key=${`${name} sign`}>${index ? "+" : "="}</span>
        <div class="term ${name}" key=${name} title=${help}>
          <span class="value" data-count=${name}>${number(report[name])}</span>
          <span class="name"><i aria-hidden="true"></i>${name === "failed" ? html`<a href=${pageHref("failures", { state: "open" })}>failed</a>` : words}</span>
        </div>`)}
    </div>
    <div class="bar" aria-hidden="true">${partsOf(report).map(([name]) => html`<i key=${name} class=${name} style=${{ flexGrow: report[name] || 0 }}></i>`)}</div>
    ${beside.length > 0 && html`<p class="beside muted">${beside.map(([name, words], index) => html`${index ? " · " : ""}<span key=${name}>${number(report[name])} ${words}</span>`)}</p>`}
  </${Panel}>`;
}
