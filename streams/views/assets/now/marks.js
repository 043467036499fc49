// What happened to the pipeline, on the strip and in words; and the minutes in which nothing was counted.
import { html } from "../shell/html.js";
import { colour } from "../shell/theme.js";
import { Time } from "../shell/time.js";

const KINDS = {
  "worker-started": ["▲", "good", "worker began"],
  "worker-ended": ["▼", "warn", "worker ended"],
  rebalance: ["⇄", "muted", "partitions moved"],
  routes: ["✎", "accent", "routes taken over"],
  gap: ["◌", "warn", "gap at the source"],
  pause: ["‖", "warn", "paused"],
  resume: ["▶", "good", "resumed"],
  redrive: ["↺", "violet", "redriven"],
  replay: ["↻", "violet", "replayed"],
  backfill: ["⤓", "violet", "backfilled"],
};
const kindOf = (kind) => KINDS[kind] ?? ["•", "muted", kind];

const MINUTE_S = 60;

/** Shade the minutes without events, before any curve is drawn. */
export function drawHoles(plot, rows) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("sunk");
  let from = null;
  const shade = (until) => {
    const x1 = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const x2 = Math.min(bbox.left + bbox.width, plot.valToPos(until, "x", true));
    if (x2 > x1) ctx.fillRect(x1, bbox.top, x2 - x1, bbox.height);
    from = null;
  };
  for (const row of rows) {
    const at = Date.parse(row.from) / 1000;
    if (row.hole && from === null) from = at;
    if (!row.hole && from !== null) shade(at);
  }
  if (from !== null) shade(Date.parse(rows.at(-1).from) / 1000 + MINUTE_S);
  ctx.restore();
}

/** A line for each thing that happened, in the colour of its kind. */
export function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = plot.valToPos(Date.parse(mark.at) / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(kindOf(mark.kind)[1]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

const Mark = ({ mark }) => {
  const [sign, tone, words] = kindOf(mark.kind);
  return html`<li><span class="sign ${tone}" aria-hidden="true">${sign}</span><${Time} at=${mark.at} />${!mark.what.startsWith(mark.kind) && html`<strong>${words}</strong>`}<span class="muted">${mark.what}</span></li>`;
};

const SHOWN = 4;

export function MarkList({ marks }) {
  if (!marks.length) return null;
  const newest = [...marks].reverse();
  const list = (some) => html`<ul class="marks">${some.map((mark) => html`<${Mark} key=${`${mark.at} ${mark.kind} ${mark.what}`} mark=${mark} />`)}</ul>`;
  return html`<div class="happened"><h3>What happened</h3>${list(newest.slice(0, SHOWN))}
    ${newest.length > SHOWN && html`<details><summary>${newest.length - SHOWN} earlier</summary>${list(newest.slice(SHOWN))}</details>`}</div>`;
}
