// The app: the frame around the pages, and which of them the address asks for.
import { html, render, useEffect, useState } from "./shell/html.js";
import { signIn } from "./shell/api.js";
import { helpShown, KeyHelp, onKey } from "./shell/keys.js";
import { live, STALE_MS, start } from "./shell/live.js";
import { SignIn, SignOut } from "./shell/signin.js";
import { useStore } from "./shell/store.js";
import { ThemeSwitch } from "./shell/theme.js";
import { isUtc, seconds, ZoneSwitch } from "./shell/time.js";
import { followLinks, go, pageHref, pageOf, useParams } from "./shell/url.js";
import { page as now } from "./now.js";
import { page as failures } from "./failures.js";
import { page as routes } from "./routes.js";
import { page as trace } from "./trace.js";

/** Each page: `{name, title, Page}`; Page is a component that reads what it shows from the address (shell/url.js). */
const PAGES = { now, failures, routes, trace };

function Search() {
  const look = (event) => {
    event.preventDefault();
    const id = new FormData(event.target).get("id").trim();
    if (id) go(pageHref("trace", { id }));
  };
  return html`<form class="search" role="search" onSubmit=${look}>
    <label class="unseen" for="search">Look for an id</label>
    <input id="search" name="id" type="search" placeholder="Event or conversation id" autocomplete="off" spellcheck="false" />
    <kbd aria-hidden="true">/</kbd>
  </form>`;
}

/** How fresh what is shown is. */
function Freshness({ stale }) {
  const { at, error } = useStore(live);
  const utc = isUtc(useParams());
  const words = !at ? (error ? error.message : "asking the worker…") : stale ? `as of ${seconds(at, utc)}${error ? `: ${error.message}` : ""}` : "live";
  return html`<p class="freshness ${stale || (!at && error) ? "old" : at ? "fresh" : ""}" role="status" title=${at ? new Date(at).toISOString() : ""}>
    <span class="dot" aria-hidden="true"></span>${words}</p>`;
}

function Header({ current, stale }) {
  return html`<header class="top">
    <a class="brand" href=${pageHref("now")}><img src="/assets/icon.svg" alt="" width="24" height="24" /> <span>Genesys → EventBridge</span></a>
    <nav aria-label="Pages"><ul>${Object.values(PAGES).map(({ name, title }) => html`<li key=${name}>
      <a href=${pageHref(name)} aria-current=${name === current ? "page" : null}>${title}</a></li>`)}</ul></nav>
    <${Search} />
    <div class="tools">
      <${Freshness} stale=${stale} />
      <${ZoneSwitch} /><${ThemeSwitch} />
      <button class="quiet icon keys" type="button" aria-label="Keys" title="Keys (?)" onClick=${() => helpShown.set(true)}>?</button>
      <${SignOut} />
    </div>
  </header>`;
}

/** Whether nothing was heard for a while; looked at every second. */
function useStale() {
  const isOld = () => Boolean(live.get().at) && Date.now() - live.get().at > STALE_MS;
  const [stale, setStale] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setStale(isOld()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return stale;
}

function App() {
  const current = pageOf(useParams());
  const asksToken = useStore(signIn);
  const stale = useStale();
  const { title, Page } = PAGES[current];
  useEffect(() => { document.title = `${title} · Genesys → EventBridge`; }, [title]);
  return html`
    <${Header} current=${current} stale=${stale} />
    <main id="main" tabindex="-1" class=${stale ? "stale" : ""}>
      ${asksToken ? html`<${SignIn} />` : html`<${Page} key=${current} />`}
    </main>
    <footer class="bottom">As JSON: <a href="/api/report/">report</a> · <a href="/api/lag/">lag</a> · <a href="/api/status/">status</a>
      ${" · "}<a href="/api/tables/">tables</a> · <a href="/health/ready">health</a> · <a href="/metrics">metrics</a></footer>
    <${KeyHelp} />`;
}

document.addEventListener("click", followLinks);
document.addEventListener("keydown", onKey);
const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
start();
