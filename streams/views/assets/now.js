// The page Now.
import { html } from "./shell/html.js";

function Page() {
  return html`<h1>Now</h1>`;
}

export const page = { name: "now", title: "Now", Page };
