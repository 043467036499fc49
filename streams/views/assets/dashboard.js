"use strict";

const SECOND = 1000;
const clock = new Intl.DateTimeFormat([], { timeStyle: "short" });
const format = new Intl.NumberFormat("en");
let before = null;

const set = (id, text) => { document.getElementById(id).textContent = text; };
const ms = (value) => (value === null ? "–" : typeof value === "string" ? value : `${format.format(value)} ms`);

function row(cells) {
  const line = document.createElement("tr");
  for (const cell of cells) line.appendChild(document.createElement("td")).textContent = cell;
  return line;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await answer.json();
  if (!answer.ok && !path.startsWith("/health")) throw new Error(body.message || body.error || answer.status);
  return body;
}

function showReport(report) {
  for (const name of ["ingested", "filtered", "published", "failed"]) set(name, format.format(report[name]));
  set("success", report.successRate === null ? "–" : `${report.successRate.toFixed(1)} %`);
  set("p50", ms(report.p50LatencyMs));
  set("p99", ms(report.p99LatencyMs));
  const now = { at: performance.now(), ended: report.filtered + report.published + report.failed };
  if (before) set("rate", format.format(Math.max(0, Math.round((now.ended - before.ended) * SECOND / (now.at - before.at)))));
  before = now;
  document.getElementById("failures").replaceChildren(
    ...Object.entries(report.failedBy).map(([name, number]) => row([name, format.format(number)])));
}

function showMinutes(rows) {
  const names = ["ingested", "filtered", "validated", "published", "failed", "retries"];
  document.getElementById("minutes").replaceChildren(...rows.slice(0, 15).map((minute) =>
    row([clock.format(minute.from * SECOND), ...names.map((name) => format.format(minute[name] || 0))])));
}

function showState(health) {
  const state = document.getElementById("state");
  const parts = Object.entries(health.troubles);
  state.textContent = parts.length ? parts.map(([part, what]) => `${part}: ${what.reason}`).join(" · ") : "All parts are healthy";
  state.className = parts.length ? "bad" : "good";
}

async function refresh() {
  try {
    showState(await ask("/health/ready"));
    showReport(await ask("/api/report/"));
    showMinutes((await ask("/api/tables/throughput/")).rows);
  } catch (problem) {
    const state = document.getElementById("state");
    state.textContent = `The worker does not answer: ${problem.message}`;
    state.className = "bad";
  }
  setTimeout(refresh, SECOND);
}

refresh();
