// Times as people read them, in their own zone or in UTC, as the address says (`tz=utc`).
import { html } from "./html.js";
import { setParams, useParams } from "./url.js";

export const isUtc = (params) => params.get("tz") === "utc";

const formats = new Map();
function format(options, utc) {
  const key = JSON.stringify([options, utc]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", ...(utc ? { timeZone: "UTC" } : {}) }));
  return formats.get(key);
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const SECONDS = { ...CLOCK, second: "2-digit" };
const DAY = { day: "numeric", month: "short" };

/** 14:03 */
export const clock = (ms, utc) => format(CLOCK, utc).format(ms);
/** 14:03:07 */
export const seconds = (ms, utc) => format(SECONDS, utc).format(ms);
/** 14:03:07 today, 24 Nov 14:03 on another day */
export function moment(ms, utc) {
  const isToday = format(DAY, utc).format(ms) === format(DAY, utc).format(Date.now());
  return isToday ? seconds(ms, utc) : `${format(DAY, utc).format(ms)} ${clock(ms, utc)}`;
}

/** 4.2 s, 3 min, 2 h, 5 d */
export function span(secs) {
  if (secs === null || secs === undefined) return "–";
  if (secs < 10) return `${secs.toFixed(1)} s`;
  if (secs < 90) return `${Math.round(secs)} s`;
  if (secs < 5400) return `${Math.round(secs / 60)} min`;
  if (secs < 129600) return `${Math.round(secs / 3600)} h`;
  return `${Math.round(secs / 86400)} d`;
}

/** A moment (epoch ms or ISO text); pointing at it shows it whole. */
export function Time({ at }) {
  const utc = isUtc(useParams());
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (!Number.isFinite(ms)) return html`<span class="muted">–</span>`;
  const iso = new Date(ms).toISOString();
  return html`<time datetime=${iso} title=${iso}>${moment(ms, utc)}</time>`;
}

/** The switch between UTC and the zone of who looks. */
export function ZoneSwitch() {
  const utc = isUtc(useParams());
  const turn = () => setParams({ tz: utc ? null : "utc" }, { replace: true });
  return html`<button class="quiet" type="button" onClick=${turn} aria-pressed=${utc ? "true" : "false"}
    title="Show times in ${utc ? "your own time zone" : "UTC"} (u)">${utc ? "UTC" : "Local"}</button>`;
}
