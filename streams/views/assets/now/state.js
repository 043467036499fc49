// What is known of each place of the flow, of what the worker tells: its numbers, whether something waits there, and why.
import { number } from "../shell/parts.js";

/** Seconds that the oldest event may wait before a place is marked, and before it is bad. */
export const WAITS_S = 10;
export const BAD_S = 60;

/** Which place a part of health is about (streams/health.py); Kafka is about all topics. */
const PARTS = [
  [/^(genesys|source)/, "source"],
  [/^(mapping|routes|new routes)/, "process"],
  [/^(eventbridge|bus)/, "sink"],
  [/^(sqs|queue)/, "mirror"],
  [/^(kafka|partitions|rebalance|start|topics|expired|actions)/, "raw"],
];

const placeOf = (part) => PARTS.find(([pattern]) => pattern.test(part))?.[1] ?? "process";

/** The place of a stage that is called otherwise in the picture. */
const PLACES = { failures: "mirror" };

/** Troubles by place: `[{worker, part, reason, seconds}]`. */
function troublesBy(status) {
  const found = {};
  for (const worker of status?.workers ?? []) {
    if (worker.state === "gone") continue;
    for (const [part, { reason, seconds }] of Object.entries(worker.troubles)) (found[placeOf(part)] ??= []).push({ worker: worker.name, part, reason, seconds });
  }
  return found;
}

/** What waits on a topic of the flow, over its partitions. */
export function waiting(known, name) {
  const partitions = (known.lag?.partitions ?? []).filter((one) => one.topic.endsWith(name));
  if (!partitions.length) return null;
  const behind = partitions.filter((one) => one.lag > 0);
  const topic = partitions[0].topic;
  return {
    topic,
    partitions,
    lag: behind.reduce((sum, one) => sum + one.lag, 0),
    seconds: Math.max(0, ...behind.map((one) => one.lagSeconds ?? 0)),
    in: known.flow[`${topic} in`] ?? null,
    out: known.flow[`${topic} out`] ?? null,
  };
}

const level = (waits) => (!waits || waits.seconds <= WAITS_S ? "" : waits.seconds > BAD_S ? "bad" : "warn");

/** Each place by name: `{title, sub, kind, state, troubles, paused}`. */
export function places(known) {
  const { report, status } = known;
  const troubles = troublesBy(status);
  const count = (name) => (report ? number(report[name]) : "–");
  const paused = Object.fromEntries((status?.paused ?? []).map((one) => [PLACES[one.stage] ?? one.stage, one]));
  const place = (name, title, sub, kind) => ({
    name, title, kind,
    sub: paused[name] ? "paused" : sub,
    troubles: troubles[name] ?? [],
    paused: paused[name] ?? null,
    state: troubles[name] ? "bad" : paused[name] ? "warn" : "",
  });
  return {
    source: place("source", "source", "Genesys Cloud", "stage"),
    raw: place("raw", "raw", `${count("raw")} in`, "topic"),
    process: place("process", "process", "filter · map · check", "stage"),
    validated: place("validated", "validated", `${count("validated")} mapped`, "topic"),
    sink: place("sink", "sink", "PutEvents", "stage"),
    bus: place("bus", "EventBridge", `${count("published")} on the bus`, "end"),
    filtered: place("filtered", "filtered", `${count("filtered")} unwanted`, "end"),
    failures: place("failures", "failures", `${count("failed")} open`, "topic"),
    mirror: place("mirror", "mirror", "SendMessageBatch", "stage"),
    sqs: place("sqs", "SQS", "dead-letter queue", "end"),
  };
}

/** The edges: `{from, to, rate, waits, state}`; only what is read from a topic can wait. */
export function edges(known) {
  const [raw, validated, failures] = ["raw", "validated", "failures"].map((name) => waiting(known, name));
  const { rates } = known;
  return [
    { from: "source", to: "raw", rate: raw?.in },
    { from: "raw", to: "process", rate: raw?.out, waits: raw, state: level(raw) },
    { from: "process", to: "validated", rate: validated?.in },
    { from: "validated", to: "sink", rate: validated?.out, waits: validated, state: level(validated) },
    { from: "sink", to: "bus", rate: rates.published },
    { from: "process", to: "filtered", rate: rates.filtered, quiet: true },
    { from: "process", to: "failures", rate: failures?.in, branch: true },
    { from: "sink", to: "failures", rate: null, branch: true, unnamed: true },
    { from: "failures", to: "mirror", rate: failures?.out, waits: failures, state: level(failures) },
    { from: "mirror", to: "sqs", rate: failures?.out },
  ];
}
