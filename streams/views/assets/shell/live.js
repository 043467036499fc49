// What the worker tells of now: by server-sent events, or asked every few seconds where they do not come through.
import { ask, open, token } from "./api.js";
import { store } from "./store.js";

const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/** Milliseconds without news after which what is shown is said to be old. */
export const STALE_MS = 8_000;

/** Milliseconds over which rates are taken. */
const RATE_MS = 12_000;

/**
 * `{report, lag, status, minutes, rates, flow, at, error}`. `at`: when something was heard last (epoch ms); `rates`: events
 * a second by the report's names; `flow`: by topic, `{in, out}` events a second.
 */
export const live = store({ report: null, lag: null, status: null, minutes: null, rates: {}, flow: {}, at: 0, error: null });

/** How much numbers grow a second, over the last seconds: call it with the numbers by name and their moment. */
function speedometer() {
  let seen = [];
  return (numbers, at) => {
    const last = seen.at(-1);
    if (last && (at <= last.at || numbers.ingested < last.numbers.ingested)) seen = [];
    seen.push({ numbers, at });
    while (seen.length > 2 && at - seen[1].at >= RATE_MS) seen.shift();
    const [first] = seen;
    if (at - first.at < 500) return null;
    const speeds = {};
    for (const [name, value] of Object.entries(numbers)) speeds[name] = Math.max(0, ((value - (first.numbers[name] ?? 0)) * 1000) / (at - first.at));
    return speeds;
  };
}

const reportSpeed = speedometer();
const topicSpeed = speedometer();

const numbersOf = (report) => Object.fromEntries(Object.entries(report).filter(([, value]) => typeof value === "number"));

function flowOf(lag) {
  const sums = {};
  for (const { topic, end, committed } of lag.partitions) {
    sums[`${topic} in`] = (sums[`${topic} in`] ?? 0) + end;
    sums[`${topic} out`] = (sums[`${topic} out`] ?? 0) + committed;
  }
  return sums;
}

function hear(name, data) {
  if (name === "unavailable") return fail(new Error(data.message));
  const at = Date.now();
  return live.set((before) => {
    const next = { ...before, [name]: data, at, error: null };
    if (name === "report") next.rates = reportSpeed(numbersOf(data), at) ?? before.rates;
    if (name === "lag" && data.asOf && data.asOf !== before.lag?.asOf) next.flow = topicSpeed(flowOf(data), Date.parse(data.asOf)) ?? before.flow;
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
  await readEvents(answer.body, (name, data) => hear(name, JSON.parse(data)));
}

/** One look without a stream: a proxy may hold it back, or the worker have too many listeners. */
async function look(signal) {
  for (const [name, data] of Object.entries(await ask("/api/live/", { signal }))) hear(name, data);
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
    for (const attempt of [follow, look]) {
      try {
        await attempt(signal);
      } catch (error) {
        if (error.name === "AbortError") return;
        fail(error);
      }
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
