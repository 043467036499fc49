// The draft: texts as they stand in the editors, and what the worker makes of them as they are typed.
import { useCallback, useEffect, useRef, useState } from "../shell/html.js";
import { ask } from "../shell/api.js";

const DEBOUNCE_MS = 300;
export const PARTS = ["filter", "mapping", "schema"];
export const EMPTY = { event: "{}", filter: "true", mapping: "$", schema: "{}" };

export const pretty = (value) => JSON.stringify(value, null, 2);

/** The body that asks about a draft. */
export const question = (texts, route) => ({ ...texts, ...(route ? { route } : {}) });

/** What came of the texts: `{found, error, trying}`; the newest answer wins, an older question is given up. */
export function useTrial(texts, route) {
  const [state, setState] = useState({ found: null, error: null, trying: false });
  const stop = useRef(null);
  useEffect(() => {
    if (!texts) return undefined;
    setState((before) => ({ ...before, trying: true }));
    const timer = setTimeout(async () => {
      stop.current?.abort();
      const mine = (stop.current = new AbortController());
      try {
        const found = await ask("/simulate/", { method: "POST", body: question(texts, route), signal: mine.signal });
        setState({ found, error: null, trying: false });
      } catch (error) {
        if (error.name !== "AbortError") setState({ found: null, error, trying: false });
      }
    }, DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [texts && JSON.stringify(texts), route]);
  useEffect(() => () => stop.current?.abort(), []);
  return state;
}

/** All problems of a trial by part, and in one list: `{part, line, column, message}`. */
export function problemsOf(found) {
  if (!found) return { list: [], of: () => [] };
  const violations = (found.details ?? []).map((one) => ({
    part: "mapping",
    line: one.line,
    column: one.column,
    path: one.path,
    rule: one.rule,
    severity: "warning",
    message: `${one.path || "the event"}: ${one.message || one.rule}`,
  }));
  const list = [...(found.errors ?? []).map((one) => ({ severity: "error", ...one })), ...violations];
  const told = found.outcome === "failed" && !list.length ? [{ part: "mapping", severity: "error", line: null, column: null, message: found.message }] : [];
  const all = [...list, ...told];
  return { list: all, of: (part) => all.filter((one) => one.part === part) };
}

/** The lines of a mapped event at which violations stand, by their paths. */
export function placed(text, details) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  return (details ?? []).map((one) => {
    const place = placeOf(value, one.path);
    return { ...place, severity: "error", message: `${one.path || "the event"}: ${one.message || one.rule}` };
  });
}

/** Line and column of a path in the text that `pretty` writes of a value; of what is around it when it is missing. */
function placeOf(value, path) {
  const steps = path === "" ? [] : path.split(".");
  let line = 1;
  let column = 1;
  let here = value;
  let depth = 0;
  for (const step of steps) {
    if (here === null || typeof here !== "object" || !Object.hasOwn(here, step)) break;
    line += 1;
    for (const [name, item] of Object.entries(here)) {
      if (name === step) break;
      line += pretty(item).split("\n").length;
    }
    depth += 1;
    column = depth * 2 + 1;
    here = here[step];
  }
  return { line, column };
}

/** Counts up each time it is called for: where the cursor of an editor shall go. */
export function useJump() {
  const [jump, setJump] = useState({ turn: 0 });
  const go = useCallback((place) => setJump((before) => ({ ...place, turn: before.turn + 1 })), []);
  return [jump, go];
}
