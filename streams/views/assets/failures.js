// The page Failures.
import { html } from "./shell/html.js";

function Page() {
  return html`<h1>Failures</h1>`;
}

export const page = { name: "failures", title: "Failures", Page };
