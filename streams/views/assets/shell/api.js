// The one client of the worker's JSON: the token, one kind of error, and answers that components follow.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { store } from "./store.js";

const KEY = "token";

/** Whether the worker asks for a token that this tab does not have; "wrong" when it has one that is refused. */
export const signIn = store(null);
export const token = store(readToken());

function readToken() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden: the token then lasts as long as the page
  }
}

export function useToken(value) {
  try {
    if (value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch { /* as above */ }
  token.set(value);
  signIn.set(null);
}

/** What the worker refused or could not do; `kind` and `message` are its own words. */
export class ApiError extends Error {
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

/** Ask, and give the answer as the browser has it. Raises ApiError. */
export async function open(path, { method = "GET", body, signal, accept = "application/json" } = {}) {
  const headers = { Accept: accept };
  const known = token.get();
  // A header takes no other characters, so a token of any is sent as its UTF-8 bytes.
  if (known) headers.Authorization = `Bearer ${String.fromCharCode(...new TextEncoder().encode(known))}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, "unreachable", "the worker does not answer");
  }
  if (answer.ok) {
    signIn.set(null);
    return answer;
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) signIn.set(known ? "wrong" : "missing");
  throw new ApiError(answer.status, told.error || "error", told.message || told.error || `the worker answered ${answer.status}`);
}

/** Ask for JSON. Raises ApiError. */
export const ask = async (path, how) => (await open(path, how)).json();
export const post = (path, body = {}) => ask(path, { method: "POST", body });

/** A path with its query; empty parts are left out. */
export function withQuery(path, parts) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * The JSON of a path as it is followed by a component: `{data, error, loading, at, reload}`.
 * What was known stays while it is asked again. `every`: milliseconds between asks while the page is seen.
 */
export function useAsk(path, { every = 0 } = {}) {
  const [state, setState] = useState({ data: null, error: null, loading: path !== null, at: 0, path });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const asked = useRef(null);
  useEffect(() => token.subscribe(reload), []);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    let timer = 0;
    const look = async () => {
      try {
        if (document.hidden && asked.current === path) return;
        if (asked.current !== path) setState((before) => ({ ...before, loading: true }));
        const data = await ask(path, { signal: stop.signal });
        asked.current = path;
        setState({ data, error: null, loading: false, at: Date.now(), path });
      } catch (error) {
        if (error.name !== "AbortError") setState((before) => ({ ...before, error, loading: false }));
      } finally {
        if (every && !stop.signal.aborted) timer = setTimeout(look, every);
      }
    };
    look();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, turn, every]);
  return { ...state, reload };
}
