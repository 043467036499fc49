// The page Routes.
import { html } from "./shell/html.js";

function Page() {
  return html`<h1>Routes</h1>`;
}

export const page = { name: "routes", title: "Routes", Page };
