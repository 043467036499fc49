// What the worker tells of now: by server-sent events, or asked every two seconds where there is no stream.
import { ask, open, token } from "./api.js";
import { store } from "./store.js";

const POLL_MS = 2_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/** Milliseconds without news after which what is shown is said to be old. */
export const STALE_MS = 8_000;

/** Seconds over which rates are taken. */
const RATE_S = 12;

/** `{report, lag, status, minutes, at, error, mode}`; `at`: when something was heard last (epoch ms). */
export const live = store({ report: null, lag: null, status: null, minutes: null, rates: {}, at: 0, error: null, mode: "waiting" });

const seen = [];

/** Events a second by the name of the count, over the last seconds. */
function rates(report, at) {
  const last = seen.at(-1);
  if (last && Object.keys(last.report).some((name) => typeof report[name] === "number" && name === "ingested" && report[name] < last.report[name])) seen.length = 0;
  seen.push({ report, at });
  while (seen.length > 2 && at - seen[1].at > RATE_S * 1000) seen.shift();
  const [first] = seen;
  const secs = (at - first.at) / 1000;
  if (secs < 0.5) return null;
  const found = {};
  for (const [name, value] of Object.entries(report)) {
    if (typeof value === "number") found[name] = Math.max(0, (value - (first.report[name] ?? 0)) / secs);
  }
  return found;
}

function hear(name, data) {
  const at = Date.now();
  live.set((before) => {
    const next = { ...before, [name]: data, at, error: null };
    if (name === "report") next.rates = rates(data, at) ?? before.rates;
    return next;
  });
}

const fail = (error) => live.set((before) => ({ ...before, error }));

/** Parse a stream of server-sent events. */
export async function readEvents(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const fields = { event: "message", data: [] };
      for (const line of rest.slice(0, end).split("\n")) {
        if (line.startsWith("event:")) fields.event = line.slice(6).trim();
        else if (line.startsWith("data:")) fields.data.push(line.slice(5).trimStart());
      }
      rest = rest.slice(end + 2);
      if (fields.data.length) onEvent(fields.event, fields.data.join("\n"));
    }
  }
}

async function follow(signal) {
  const answer = await open("/api/stream/", { accept: "text/event-stream", signal });
  live.set((before) => ({ ...before, mode: "stream" }));
  await readEvents(answer.body, (name, data) => hear(name, JSON.parse(data)));
}

async function poll(signal) {
  live.set((before) => ({ ...before, mode: "poll" }));
  while (!signal.aborted) {
    try {
      for (const name of ["report", "lag", "status"]) hear(name, await ask(`/api/${name}/`, { signal }));
    } catch (error) {
      if (error.name === "AbortError") return;
      fail(error);
    }
    await pause(POLL_MS, signal);
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

async function run(signal) {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const began = Date.now();
    try {
      await follow(signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status === 404) return poll(signal);
      fail(error);
    }
    if (Date.now() - began > 10_000) turn = 0;
    await pause(WAITS_MS[Math.min(turn, WAITS_MS.length - 1)], signal);
  }
}

let stop = null;

/** Listen while somebody looks: a hidden page asks the worker for nothing. */
function listen() {
  stop?.abort();
  stop = null;
  if (document.hidden) return;
  stop = new AbortController();
  run(stop.signal);
}

export function start() {
  document.addEventListener("visibilitychange", listen);
  token.subscribe(listen);
  listen();
}
