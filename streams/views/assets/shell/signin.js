// The token, asked for where the worker wants one; it stays in this tab until it is closed.
import { html, useState } from "./html.js";
import { signIn, token, useToken } from "./api.js";
import { useStore } from "./store.js";

export function SignIn() {
  const [typed, setTyped] = useState("");
  const why = useStore(signIn);
  const submit = (event) => {
    event.preventDefault();
    if (typed) useToken(typed);
    setTyped("");
  };
  return html`<section class="panel signin" aria-labelledby="signin-title">
    <h1 id="signin-title">This worker asks for a token</h1>
    <p>One of <code>WEB_TOKEN</code> or <code>WEB_TOKENS</code>. It stays in this tab and goes to this worker alone.</p>
    <form onSubmit=${submit}>
      <label for="token">Token</label>
      <div class="row">
        <input id="token" type="password" autocomplete="current-password" autofocus value=${typed}
          onInput=${(event) => setTyped(event.target.value)} />
        <button class="primary" type="submit">Sign in</button>
      </div>
      ${why === "wrong" && html`<p class="note bad" role="alert">The worker does not know this token.</p>`}
    </form>
  </section>`;
}

export function SignOut() {
  return useStore(token) !== null && html`<button class="quiet" type="button" onClick=${() => useToken(null)}>Sign out</button>`;
}
