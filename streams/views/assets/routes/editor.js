// The editor, CodeMirror in a shadow tree: there its styles need no exception from the page's policy.
import { html, useEffect, useRef, useState } from "../shell/html.js";
import { completions, mode } from "./jsonata.js";

let loading = null;

/** CodeMirror, fetched when the first editor is shown. */
const load = () => (loading ??= import("../vendor/codemirror.js"));

const LOOK = {
  "&": { backgroundColor: "var(--bg)", color: "var(--ink)", fontSize: "13px", height: "100%", borderRadius: "7px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--accent)", padding: "6px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 7%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 25%, transparent)",
  },
  ".cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--good) 25%, transparent)", outline: "0" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1.5px", textUnderlineOffset: "3px" },
  ".cm-lintRange-active": { backgroundColor: "color-mix(in srgb, var(--bad) 18%, transparent)" },
  ".cm-lintPoint:after": { borderBottomColor: "var(--bad)" },
  ".cm-gutter-lint .cm-lint-marker": { width: "10px", height: "10px" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "7px", overflow: "hidden" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic": { padding: "5px 10px", fontFamily: "var(--sans)", fontSize: "13px", maxWidth: "34rem" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-foldPlaceholder": { background: "var(--sunk)", border: "1px solid var(--line)", color: "var(--muted)" },
};

function colours({ HighlightStyle, tags }) {
  return HighlightStyle.define([
    { tag: tags.propertyName, color: "var(--accent)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
    { tag: tags.regexp, color: "var(--warn)" },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--warn)" },
    { tag: tags.keyword, color: "var(--violet)", fontWeight: "600" },
    { tag: [tags.variableName, tags.function(tags.variableName)], color: "var(--violet)" },
    { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
    { tag: [tags.operator, tags.punctuation], color: "var(--muted)" },
  ]);
}

/**
 * Text typed over a selection goes straight into the state. Left to itself the browser keeps the look of what it replaces, by
 * inline styles, which the page's policy forbids.
 */
function typedOver(cm) {
  return cm.EditorView.domEventHandlers({
    beforeinput(event, view) {
      const { from, to, empty } = view.state.selection.main;
      if (empty || event.isComposing || typeof event.data !== "string" || view.state.readOnly) return false;
      event.preventDefault();
      const change = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
      if (!view.state.facet(cm.EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, change))) view.dispatch(change());
      return true;
    },
  });
}

/** What every editor is made of; `mine` is of this one. */
function extensions(cm, { label, language, readOnly, fields, onChange }, theme) {
  const speaks = language === "json" ? cm.json() : cm.StreamLanguage.define(mode);
  return [
    cm.lineNumbers(), cm.foldGutter(), cm.history(), cm.drawSelection(), cm.indentOnInput(), cm.bracketMatching(),
    cm.closeBrackets(), cm.highlightActiveLine(), cm.highlightActiveLineGutter(), cm.indentUnit.of("  "), cm.EditorView.lineWrapping,
    cm.syntaxHighlighting(colours(cm)), speaks, theme, typedOver(cm),
    ...(fields ? [cm.autocompletion({ override: [completions(fields)] })] : []),
    cm.keymap.of([...cm.closeBracketsKeymap, ...cm.defaultKeymap, ...cm.historyKeymap, ...cm.foldKeymap, ...cm.completionKeymap, ...cm.lintKeymap]),
    cm.EditorState.readOnly.of(Boolean(readOnly)),
    cm.EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", ...(readOnly ? { "aria-readonly": "true" } : {}) }),
    cm.EditorView.updateListener.of((update) => { if (update.docChanged && !update.transactions.some((one) => one.isUserEvent("set"))) onChange?.(update.state.doc.toString()); }),
  ];
}

/** A problem (`{line, column, message, severity}`) as CodeMirror marks one: the word that begins at its place. */
function diagnostic(doc, { line, column, message, severity = "error" }) {
  const row = doc.line(Math.min(Math.max(1, line), doc.lines));
  const from = Math.min(row.from + Math.max(0, column - 1), row.to);
  const word = /^(?:"(?:[^"\\]|\\.)*"|\$?[\w-]+|\S)/.exec(doc.sliceString(from, row.to));
  if (word) return { from, to: from + word[0].length, severity, message };
  return { from: Math.max(row.from, from - 1), to: Math.max(from, row.from), severity, message };
}

/**
 * An editor of `value`, which is taken anew when `turn` changes; in between who types is right. `problems` are underlined; those
 * without a line are told elsewhere. `fields`: names to complete.
 * `jump`: `{line, column, turn}` moves the cursor there when its turn changes.
 */
export function Editor({ value, turn = 0, label, language, onChange, problems = [], readOnly = false, fields, jump }) {
  const host = useRef(null);
  const [editor, setEditor] = useState(null);
  const changed = useRef(onChange);
  changed.current = onChange;

  useEffect(() => {
    let view = null;
    let gone = false;
    load().then((cm) => {
      if (gone) return;
      const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
      const theme = cm.EditorView.theme(LOOK);
      const told = { label, language, readOnly, fields, onChange: (text) => changed.current?.(text) };
      view = new cm.EditorView({ doc: value, root, parent: root, extensions: extensions(cm, told, theme) });
      setEditor({ cm, view });
    });
    return () => {
      gone = true;
      view?.destroy();
    };
  }, []);

  useEffect(() => { // what is typed comes back as `value` when more has been typed: only what `turn` announces is new
    if (!editor || editor.view.state.doc.toString() === value) return;
    const { view } = editor;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, userEvent: "set" });
  }, [editor, turn]);

  useEffect(() => {
    if (!editor) return;
    const { cm, view } = editor;
    const found = problems.filter((one) => one.line).map((one) => diagnostic(view.state.doc, one));
    view.dispatch(cm.setDiagnostics(view.state, found));
  }, [editor, value, JSON.stringify(problems)]);

  useEffect(() => {
    if (!editor || !jump?.line) return;
    const { cm, view } = editor;
    const row = view.state.doc.line(Math.min(jump.line, view.state.doc.lines));
    const at = Math.min(row.from + jump.column - 1, row.to);
    view.dispatch({ selection: { anchor: at }, effects: cm.EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  }, [editor, jump?.turn]);

  return html`<div class="cm-editor editor" ref=${host}></div>`;
}
