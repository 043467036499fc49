// The playground: an event, a filter, a mapping and a schema, and at once what comes of them and what is wrong.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../shell/html.js";
import { ask, open, withQuery } from "../shell/api.js";
import { Badge, Panel, Problem } from "../shell/parts.js";
import { pageHref, setParams } from "../shell/url.js";
import { Changes } from "./changes.js";
import { EMPTY, PARTS, placed, pretty, problemsOf, question, useJump, useTrial } from "./draft.js";
import { Editor } from "./editor.js";
import { fieldsOf } from "./jsonata.js";

const OUTCOMES = {
  mapped: ["good", "mapped"],
  filtered: ["", "filtered: not this route's"],
  failed: ["bad", "fails"],
  invalid: ["bad", "no worker would start"],
};
const NOTHING = {
  invalid: "There is a mistake in a text: see the problems.",
  failed: "The mapping gives no event: see the problems.",
  filtered: "The filter leaves the event, and the mapping gives nothing.",
};
const NAMES = { event: "Event", filter: "Filter", mapping: "Mapping", schema: "Schema" };

/** Texts of a route with one of its examples. */
const startOf = (told, example) => ({
  ...(told ? told.files : { filter: EMPTY.filter, mapping: EMPTY.mapping, schema: EMPTY.schema }),
  event: example ? pretty(example.event) : EMPTY.event,
});

/** The events that can be chosen: the route's examples, and the newest of `raw`. */
function useRaw() {
  const [state, setState] = useState({ events: [], error: null, asked: false });
  const reload = useCallback(async () => {
    try {
      const { events } = await ask(withQuery("/api/raw/", { limit: 30 }));
      setState({ events, error: null, asked: true });
    } catch (error) {
      setState({ events: [], error, asked: true });
    }
  }, []);
  return { ...state, reload };
}

const rawName = (one) => `raw:${one.partition}:${one.offset}`;

/** The event that the address names: `example:NAME`, `raw:PARTITION:OFFSET`, `failure:PARTITION/OFFSET`. Null when it is gone. */
async function eventOf(name, told) {
  const failure = /^failure:(\d+\/\d+)$/.exec(name ?? "");
  if (failure) {
    const { record } = await ask(`/api/failures/${failure[1]}/`);
    return record?.encoding === "base64" ? atob(record.originalEvent) : (record?.originalEvent ?? null);
  }
  if (name?.startsWith("example:")) return told?.examples.find((one) => `example:${one.name}` === name)?.event ?? null;
  const place = /^raw:(\d+):(\d+)$/.exec(name ?? "");
  if (!place) return null;
  const { events } = await ask(withQuery("/api/raw/", { partition: place[1], offset: place[2] }));
  return events[0]?.event ?? null;
}

function EventChoice({ name, told, raw, onChoose }) {
  const known = [...(told?.examples.map((one) => `example:${one.name}`) ?? []), ...raw.events.map(rawName)];
  return html`<label class="pick">from
    <select value=${name ?? ""} onFocus=${() => raw.asked || raw.reload()} onMouseEnter=${() => raw.asked || raw.reload()}
      onChange=${(event) => onChoose(event.target.value)}>
      <option value="">as pasted</option>
      ${name && !known.includes(name) && html`<option value=${name}>${name.replace(":", " ").replace(/:(\d+)$/, " / $1")}</option>`}
      ${told && html`<optgroup label="Examples of ${told.name}">
        ${told.examples.map((one) => html`<option key=${one.name} value="example:${one.name}">${one.name}</option>`)}</optgroup>`}
      <optgroup label=${raw.error ? `raw: ${raw.error.message}` : "The newest of raw"}>
        ${raw.events.map((one) => html`<option key=${rawName(one)} value=${rawName(one)}>${one.kind} · ${one.at.slice(11, 19)}Z · ${one.partition}/${one.offset}</option>`)}
      </optgroup>
    </select></label>`;
}

function Part({ part, language, problems, children, ...rest }) {
  const wrong = problems.filter((one) => one.severity === "error").length;
  return html`<section class="part ${part}" aria-label=${NAMES[part]}>
    <header><h3>${NAMES[part]}</h3>${wrong > 0 && html`<${Badge} kind="bad">${wrong} ${wrong === 1 ? "error" : "errors"}<//>`}${children}</header>
    <${Editor} label="${NAMES[part]} (${language === "json" ? "JSON" : "JSONata"})" language=${language} problems=${problems} ...${rest} />
  </section>`;
}

/** What is wrong, each a way to its place. */
function Problems({ list, onJump }) {
  if (!list.length) return html`<p class="muted noproblems">Nothing is wrong.</p>`;
  return html`<ul class="problems">${list.map((one, index) => html`<li key=${index} class=${one.severity}>
    ${one.line
      ? html`<button type="button" class="link" onClick=${() => onJump(one)}>${NAMES[one.part]} ${one.line}:${one.column}</button>`
      : html`<span>${NAMES[one.part] ?? one.part}</span>`}
    <p>${one.path ? html`<code>${one.path}</code> ` : ""}${one.path ? one.message.slice(one.path.length + 2) : one.message}</p></li>`)}</ul>`;
}

function Result({ found, trying, error }) {
  const text = found?.transformedEvent ? pretty(found.transformedEvent) : "";
  const marks = useMemo(() => (text ? placed(text, found.details) : []), [text, JSON.stringify(found?.details)]);
  const [kind, words] = OUTCOMES[found?.outcome] ?? ["", error ? "not tried" : "trying…"];
  return html`<section class="part result" aria-label="Result" aria-busy=${trying ? "true" : "false"}>
    <header><h3>Result</h3>
      <span role="status"><${Badge} kind=${kind}>${words}<//></span>
      ${found?.engine && html`<span class="muted engine">${found.engine}${typeof found.latencyMs === "number" ? ` · ${Math.max(1, Math.round(found.latencyMs))} ms` : ""}</span>`}</header>
    <${Problem} error=${error} />
    ${found?.outcome === "filtered" && text && html`<p class="muted aside">What the mapping would give, were the event taken:</p>`}
    ${found?.note && html`<p class="note warn" role="status"><span>${found.note}.</span></p>`}
    ${text || !found
      ? html`<${Editor} label="Result (JSON)" language="json" readOnly value=${text} turn=${text} problems=${marks} />`
      : html`<p class="nothing muted">${NOTHING[found.outcome] ?? ""}</p>`}
  </section>`;
}

/** The folder of the route with these texts, and the event as one more example. */
function Download({ texts, route }) {
  const [name, setName] = useState(route ?? "new-route");
  const [example, setExample] = useState("from-the-playground");
  const [error, setError] = useState(null);
  const [failing, setFailing] = useState([]);
  useEffect(() => setName(route ?? "new-route"), [route]);
  useEffect(() => setFailing([]), [texts]);
  const save = async (event) => {
    event.preventDefault();
    try {
      const body = { ...question(texts, route), name, ...(example ? { example } : {}) };
      const answer = await open("/api/route-folder/", { method: "POST", body, accept: "application/zip" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = `${name}.zip`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      setFailing((answer.headers.get("X-Failing-Examples") ?? "").split(",").filter(Boolean).map(decodeURIComponent));
      setError(null);
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<form class="download" onSubmit=${save}>
    <label>Folder <input value=${name} onInput=${(event) => setName(event.target.value)} required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}" spellcheck="false" /></label>
    <label>Event as example <input value=${example} onInput=${(event) => setExample(event.target.value)} placeholder="none" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}" spellcheck="false" /></label>
    <button type="submit">Download the folder</button>
    ${failing.length > 0 && html`<p class="note warn" role="status"><span>Examples of the route that expect something else, so that no worker would take it:
      <b>${failing.join(", ")}</b>. Change or delete them.</span></p>`}
    <${Problem} error=${error} />
  </form>`;
}

export function Playground({ route, eventName, failure, told }) {
  const [{ texts, turn }, setDesk] = useState({ texts: null, turn: 0 });
  /** Put other texts on the desk; the editors take them. */
  const put = (next) => setDesk((before) => ({ texts: next(before.texts), turn: before.turn + 1 }));
  const [loadError, setLoadError] = useState(null);
  const raw = useRaw();
  const start = useRef(null);
  const { found, error, trying } = useTrial(texts, route);
  const problems = problemsOf(found);
  const [jump, go] = useJump();
  const fields = useRef([]);
  fields.current = useMemo(() => (texts ? fieldsOf(texts.event) : []), [texts?.event]);

  useEffect(() => { // another route: its texts, and the event that the address names, else its first example
    if (route && !told) return;
    start.current = startOf(told, told?.examples[0]);
    put((before) => (before && !route ? before : start.current));
    if (!eventName && told?.examples[0]) setParams({ event: `example:${told.examples[0].name}` }, { replace: true });
  }, [told?.name, route]);

  useEffect(() => {
    if (!eventName || (route && !told)) return;
    eventOf(eventName, told).then(
      (event) => {
        setLoadError(event === null ? new Error("that event is not there any more") : null);
        if (event !== null) put((before) => before && { ...before, event: typeof event === "string" ? event : pretty(event) });
      },
      setLoadError,
    );
  }, [eventName, told?.name]);

  const edit = (part) => (text) => {
    if (part === "event" && eventName) setParams({ event: null, failure: null }, { replace: true });
    setDesk((before) => ({ ...before, texts: { ...before.texts, [part]: text } }));
  };
  if (!texts) return null;
  const changed = PARTS.some((part) => start.current && texts[part] !== start.current[part]);
  const shared = (part, language) => ({
    part, language, value: texts[part], turn, onChange: edit(part), problems: problems.of(part), jump: jump.part === part ? jump : null,
    fields: language === "jsonata" ? () => fields.current : undefined,
  });
  return html`<${Panel} id="playground" title="Playground" class="playground" more=${html`
      <span>Publishes nothing, writes nothing.</span>
      <button type="button" disabled=${!changed} onClick=${() => put((before) => ({ ...start.current, event: before.event }))}>Back to the route</button>`}>
    <${Problem} error=${loadError} />
    ${failure && html`<p class="note"><span>The event of failure <code>${failure}</code>. When the corrected route is in use, </span>
      <a href=${pageHref("failures", { record: failure, range: "7d", route })}>see and redrive it</a></p>`}
    <div class="desk">
      <div class="column">
        <${Part} ...${shared("event", "json")}><${EventChoice} name=${eventName} told=${told} raw=${raw}
          onChoose=${(name) => setParams({ event: name || null, failure: null }, { replace: true })} /><//>
      </div>
      <div class="column">
        <${Part} ...${shared("filter", "jsonata")} />
        <${Part} ...${shared("mapping", "jsonata")} />
        <${Part} ...${shared("schema", "json")} />
      </div>
      <div class="column">
        <${Result} found=${found} trying=${trying} error=${error} />
        <section class="part wrong" aria-label="Problems"><header><h3>Problems</h3>
          ${problems.list.length > 0 && html`<${Badge} kind="bad">${problems.list.length}<//>`}</header>
          <${Problems} list=${problems.list} onJump=${go} /></section>
      </div>
    </div>
    <${Changes} texts=${texts} route=${route} canRun=${found && found.outcome !== "invalid"} />
    <${Download} texts=${texts} route=${route} />
  <//>`;
}
