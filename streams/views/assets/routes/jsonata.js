// JSONata for the editor: its colours, and what there is to complete.

const WORDS = new Set(["and", "or", "in", "function", "λ"]);
const ATOMS = new Set(["true", "false", "null"]);
const OPERATORS = /^(?:\.\.|:=|!=|>=|<=|\*\*|~>|\?:|\?\?|[.+\-*/%&=<>?:|^@#!~])/;
const OPERAND_ENDS = /[\w\])}"'`]/;

/** Functions of JSONata (docs.jsonata.org). */
const BUILTINS = ("string length substring substringBefore substringAfter uppercase lowercase trim pad contains split join match " +
  "replace base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl number abs floor ceil round power sqrt " +
  "random formatNumber formatBase formatInteger parseInteger sum max min average boolean not exists count append sort reverse shuffle " +
  "distinct zip keys lookup spread merge sift each error assert type now millis fromMillis toMillis map filter single reduce eval").split(" ");

/** Functions of this project (docs/routes.md). */
const OURS = {
  conversation: "what the event tells of its conversation",
  conversationId: "the conversation's id, or an empty text",
  eventId: "the event's id, the same on every retry and replay",
  eventTime: "when it happened, or an empty text",
  uuidv4: "a random id",
};

/** The mode, as CodeMirror's StreamLanguage takes it. */
export const mode = {
  name: "jsonata",
  startState: () => ({ comment: false, operand: false }),
  token(stream, state) {
    if (state.comment || stream.match("/*")) {
      state.comment = !stream.match(/^.*?\*\//);
      if (state.comment) stream.skipToEnd();
      return "comment";
    }
    if (stream.eatSpace()) return null;
    const kind = token(stream, state);
    state.operand = OPERAND_ENDS.test(stream.current().slice(-1)) && kind !== "keyword";
    return kind;
  },
  languageData: { commentTokens: { block: { open: "/*", close: "*/" } }, closeBrackets: { brackets: ["(", "[", "{", '"', "'"] } },
};

function token(stream, state) {
  const quote = stream.match(/^(["'])(?:\\.|(?!\1).)*(\1)?/);
  if (quote) return /^\s*:/.test(stream.string.slice(stream.pos)) ? "propertyName" : "string";
  if (stream.match(/^`[^`]*`?/)) return "propertyName";
  if (stream.match(/^\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/)) return "number";
  if (!state.operand && stream.match(/^\/(?:\\.|\[[^\]]*\]|[^/\\])+\/[im]*/)) return "regexp";
  if (stream.match(/^\$\$?[\w]*/)) return stream.peek() === "(" ? "variableName.function" : "variableName";
  const word = stream.match(/^[A-Za-z_λ][\w]*/);
  if (word) return WORDS.has(word[0]) ? "keyword" : ATOMS.has(word[0]) ? "atom" : "name";
  if (stream.match(OPERATORS)) return "operator";
  stream.next();
  return null;
}

const FUNCTIONS = [
  ...Object.entries(OURS).map(([name, info]) => ({ label: `$${name}`, type: "function", detail: "of this project", info, apply: `$${name}()` })),
  ...BUILTINS.map((name) => ({ label: `$${name}`, type: "function" })),
];

/** What may be completed: functions after `$`, else the fields of the event. */
export function completions(fields) {
  return (context) => {
    const before = context.matchBefore(/\$?\w*/);
    if (!before || (before.from === before.to && !context.explicit)) return null;
    const options = before.text.startsWith("$") ? FUNCTIONS : fields().map((label) => ({ label, type: "property" }));
    return { from: before.from, options, validFor: /^\$?\w*$/ };
  };
}

/** The names of all fields of an event, as far as its text is JSON. */
export function fieldsOf(text) {
  const names = new Set();
  const walk = (value, depth) => {
    if (depth > 12 || value === null || typeof value !== "object") return;
    for (const [name, item] of Object.entries(value)) {
      if (!Array.isArray(value)) names.add(/^\w+$/.test(name) ? name : `\`${name}\``);
      walk(item, depth + 1);
    }
  };
  try {
    walk(JSON.parse(text), 0);
  } catch { /* no JSON yet: nothing to offer */ }
  return [...names];
}
