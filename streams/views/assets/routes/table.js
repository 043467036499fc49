// The routes in use, and how much each takes.
import { html } from "../shell/html.js";
import { useAsk, withQuery } from "../shell/api.js";
import { Badge, Empty, number, Panel, Problem, RangeChoice, rate } from "../shell/parts.js";
import { href, pageHref } from "../shell/url.js";

const EVERY_MS = 5_000;

/** A bar as wide as a part is of the whole. */
function Share({ route, most }) {
  const taken = route.mapped + route.failed + route.repeated;
  const width = (count) => ({ width: `${most ? (100 * count) / most : 0}%` });
  return html`<span class="share" aria-hidden="true" title="${number(taken)} taken">
    <i class="good" style=${width(route.mapped)}></i><i class="muted" style=${width(route.repeated)}></i><i class="bad" style=${width(route.failed)}></i></span>`;
}

function Row({ route, most, chosen, range }) {
  const failed = route.failed + route.refused;
  return html`<tr class=${chosen ? "chosen" : ""}>
    <th scope="row"><a href=${href({ route: route.name, event: null, failure: null })} aria-current=${chosen ? "true" : null}>${route.name}</a>
      <p class="muted">${route.description}</p></th>
    <td class="num">${rate(route.perSecond)}</td>
    <td><${Share} route=${route} most=${most} /></td>
    <td class="num">${number(route.mapped)}</td>
    <td class="num">${number(route.published)}</td>
    <td class="num">${failed ? html`<a class="bad" href=${pageHref("failures", { route: route.name, range })}>${number(failed)}</a>` : "0"}</td>
    <td class="num">${number(route.repeated)}</td>
    <td><${Badge}>${route.engine}<//>${route.engineReason && html` <small class="muted">${route.engineReason}</small>`}</td>
  </tr>`;
}

export function RouteTable({ range, chosen }) {
  const { data, error, reload } = useAsk(withQuery("/api/routes/", { range }), { every: EVERY_MS });
  const routes = data?.routes ?? [];
  const most = Math.max(0, ...routes.map((one) => one.mapped + one.failed + one.repeated));
  return html`<${Panel} id="routes" title="Routes in use" more=${html`<${RangeChoice} value=${range} />`}>
    <${Problem} error=${error} again=${reload} />
    ${data && !routes.length && html`<${Empty}>No route is in use.<//>`}
    ${routes.length > 0 && html`<div class="wide" role="region" aria-label="Table of the routes" tabindex="0"><table class="routetable">
      <thead><tr><th scope="col">Route</th><th scope="col" class="num">Events / s</th><th scope="col"><span class="unseen">Share</span></th>
        <th scope="col" class="num">Mapped</th><th scope="col" class="num">Published</th><th scope="col" class="num">Failed</th>
        <th scope="col" class="num">Repeated</th><th scope="col">Engine</th></tr></thead>
      <tbody>${routes.map((one) => html`<${Row} key=${one.name} route=${one} most=${most} chosen=${one.name === chosen} range=${range} />`)}</tbody>
    </table></div>`}
  <//>`;
}
