// The page Routes: what each of them takes, and a place to try one that is being written.
import { html } from "./shell/html.js";
import { useAsk } from "./shell/api.js";
import { Problem } from "./shell/parts.js";
import { href, useParams } from "./shell/url.js";
import { Playground } from "./routes/playground.js";
import { RouteTable } from "./routes/table.js";

function Page() {
  const params = useParams();
  const route = params.get("route");
  const failure = params.get("failure");
  const { data, error, reload } = useAsk(route ? `/api/routes/${encodeURIComponent(route)}/` : null);
  const isOther = route !== null && data?.name !== route;
  return html`<div class="pagehead"><h1>Routes</h1>
      ${route && html`<a class="button" href=${href({ route: null, event: null, failure: null })}>Begin a new one</a>`}</div>
    <${RouteTable} range=${params.get("range") ?? "1h"} chosen=${route} />
    ${route && html`<${Problem} error=${error} again=${reload} />`}
    ${!(isOther && !error) && html`<${Playground} key=${route ?? ""} route=${route && !error ? route : null} eventName=${failure ? `failure:${failure}` : params.get("event")} failure=${failure} told=${route && !isOther ? data : null} />`}`;
}

export const page = { name: "routes", title: "Routes", Page };
