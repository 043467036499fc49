// What the pipeline did in the chosen range.
import { html } from "../shell/html.js";
import { millis, number, rate } from "../shell/parts.js";
import { span } from "../shell/time.js";

const Tile = ({ name, value, count, tone = "" }) =>
  html`<div class="tile"><dt>${name}</dt><dd class=${tone} data-count=${count}>${value}</dd></div>`;

/** Age of the oldest event that waits anywhere, in seconds. */
const behind = (lag) => (lag ? Math.max(0, ...lag.partitions.map((one) => one.lagSeconds ?? 0)) : null);

export function Numbers({ report, known }) {
  const some = report ?? {};
  const success = typeof some.successRate === "number" ? `${some.successRate.toFixed(some.successRate > 99 && some.successRate < 100 ? 2 : 1)} %` : "–";
  const oldest = behind(known.lag);
  return html`<dl class="tiles" aria-label="In the chosen range">
    <${Tile} name="Events / s now" value=${rate(known.rates.ingested)} />
    <${Tile} name="Ingested" count="range-ingested" value=${number(some.ingested)} />
    <${Tile} name="Published" count="range-published" value=${number(some.published)} />
    <${Tile} name="Failures" count="range-failures" value=${number(some.failures)} tone=${some.failures ? "bad" : ""} />
    <${Tile} name="Success" value=${success} />
    <${Tile} name="Latency p50" value=${millis(some.p50LatencyMs)} />
    <${Tile} name="Latency p99" value=${millis(some.p99LatencyMs)} />
    <${Tile} name="Oldest waiting" value=${oldest === null ? "–" : span(oldest)} tone=${oldest > 60 ? "bad" : oldest > 10 ? "warn" : ""} />
  </dl>`;
}
