// The page Trace.
import { html } from "./shell/html.js";

function Page() {
  return html`<h1>Trace</h1>`;
}

export const page = { name: "trace", title: "Trace", Page };
