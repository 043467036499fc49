// An event as JSON, line by line, with marks at places that are named by their path (`detail.items.0.name`).
import { html } from "../shell/html.js";

const MOST_LINES = 3_000;

const kindOf = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** The lines of a value: `{depth, name, text, kind, path}`. */
function linesOf(value, path = "", name = null, depth = 0, lines = []) {
  if (lines.length > MOST_LINES) return lines;
  const kind = kindOf(value);
  if (kind !== "object" && kind !== "array") {
    lines.push({ depth, name, text: JSON.stringify(value), kind, path });
    return lines;
  }
  const [left, right] = kind === "array" ? "[]" : "{}";
  const entries = kind === "array" ? value.map((one, index) => [String(index), one]) : Object.entries(value);
  if (!entries.length) {
    lines.push({ depth, name, text: left + right, kind, path });
    return lines;
  }
  lines.push({ depth, name, text: left, kind, path });
  for (const [key, one] of entries) linesOf(one, path ? `${path}.${key}` : key, kind === "array" ? null : key, depth + 1, lines);
  lines.push({ depth, name: null, text: right, kind, path: `${path} end` });
  return lines;
}

const parentOf = (path) => (path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "");

/** A line for each place that is named and is not there, where it should be. */
function withMissing(lines, marks) {
  const known = new Set(lines.map((line) => line.path));
  const found = [...lines];
  for (const path of Object.keys(marks)) {
    if (known.has(path)) continue;
    let parent = parentOf(path);
    while (parent && !known.has(parent)) parent = parentOf(parent);
    const end = found.findIndex((line) => line.path === `${parent} end`);
    const depth = (found.find((line) => line.path === parent)?.depth ?? 0) + 1;
    const ghost = { depth, name: parent ? path.slice(parent.length + 1) : path, text: "missing", kind: "missing", path };
    found.splice(end >= 0 ? end : found.length, 0, ghost);
  }
  return found;
}

/** `marks`: by path, `{tone, words}`. */
export function Json({ value, marks = {}, label }) {
  const lines = withMissing(linesOf(value), marks);
  return html`<div class="json" role="group" aria-label=${label} tabindex="0"><ol>${lines.slice(0, MOST_LINES).map((line, index) => {
    const mark = marks[line.path];
    return html`<li key=${index} class=${mark ? `marked ${mark.tone}` : ""} id=${mark?.id}>
      <span class="code" style=${{ paddingLeft: `${line.depth * 1.15}em` }}>${line.name !== null && html`<span class="name">${JSON.stringify(line.name)}</span>: `}<span class="v-${line.kind}">${line.text}</span></span>
      ${mark && html`<span class="words">${mark.words}</span>`}</li>`;
  })}${lines.length > MOST_LINES && html`<li class="muted">… ${lines.length - MOST_LINES} more lines</li>`}</ol></div>`;
}

/** The value at a path; undefined when there is none. */
export function valueAt(value, path) {
  if (!path) return value;
  if (value === null || typeof value !== "object") return undefined;
  const names = path.split(".");
  for (let taken = names.length; taken > 0; taken -= 1) { // a name may have dots in it
    const name = names.slice(0, taken).join(".");
    if (Object.hasOwn(value, name)) return valueAt(value[name], names.slice(taken).join("."));
  }
  return undefined;
}

/** The paths of scalars that are equal to a value, and telling: not true, 0 or a short word. */
export function placesOf(value, wanted, path = "") {
  if (value !== null && typeof value === "object") {
    return Object.entries(value).flatMap(([name, one]) => placesOf(one, wanted, path ? `${path}.${name}` : name));
  }
  return value === wanted && String(value).length > 2 && typeof value !== "boolean" ? [path] : [];
}
