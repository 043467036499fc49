// The flow picture of the README, live: each place can be opened, and is red where something waits too long.
import { html, useEffect, useRef, useState } from "../shell/html.js";
import { number, rate } from "../shell/parts.js";
import { span } from "../shell/time.js";
import { href } from "../shell/url.js";
import { layout, route } from "./layout.js";
import { edges, places } from "./state.js";

function useWidth() {
  const element = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const follower = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    follower.observe(element.current);
    return () => follower.disconnect();
  }, []);
  return [element, width];
}

const perSecond = (value) => (value === null || value === undefined ? "" : `${rate(value)} /s`);
const waits = (edge) => (!edge.waits ? "" : edge.waits.lag ? `${number(edge.waits.lag)} · ${span(edge.waits.seconds)}` : "none waits");

function Edge({ edge, plan }) {
  const { d, x, y, anchor, level } = route(edge, plan);
  const moves = edge.rate > 0.05;
  const thick = Math.min(5, 1.5 + Math.log10(1 + (edge.rate || 0)));
  const marker = edge.state === "bad" ? "bad" : edge.state === "warn" ? "warn" : "plain";
  return html`<g class="edge ${edge.state ?? ""} ${edge.branch ? "branch" : ""} ${moves ? "moves" : ""}">
    <path d=${d} style=${{ strokeWidth: thick }} marker-end="url(#tip-${marker})" />
    ${!edge.unnamed && x !== undefined && html`
      <text x=${x} y=${level ? y - 8 : y - 2} text-anchor=${anchor}>${perSecond(edge.rate)}</text>
      ${edge.waits && html`<text class="waits" x=${x} y=${level ? y + 17 : y + 13} text-anchor=${anchor}>${waits(edge)}</text>`}`}
  </g>`;
}

function said(place, edge) {
  const words = [`${place.title} ${place.sub}`]; // what is to be read comes first, for who speaks to it
  if (edge) words.push(edge.waits?.lag ? `${edge.waits.lag} wait, the oldest for ${span(edge.waits.seconds)}` : "none waits");
  return [...words, ...place.troubles.map((one) => one.reason)].join(", ");
}

function Place({ place, box, chosen, edge }) {
  const { x, y, w, h } = box;
  const state = place.state || edge?.state || "";
  const round = place.kind === "topic" ? h / 2 : 8;
  const isOpen = place.kind !== "end";
  const drawn = html`<g class="place ${place.kind} ${state} ${chosen ? "chosen" : ""}">
    <rect x=${x} y=${y} width=${w} height=${h} rx=${round} />
    <text class="title" x=${x + w / 2} y=${y + h / 2 - 4} text-anchor="middle">${place.title}</text>${" "}
    <text class="sub" x=${x + w / 2} y=${y + h / 2 + 14} text-anchor="middle">${place.sub}</text>
    ${state && html`<g class="flag"><circle cx=${x + w - 6} cy=${y + 4} r="9" /><text x=${x + w - 6} y=${y + 8} text-anchor="middle">${place.paused ? "‖" : "!"}</text></g>`}
  </g>`;
  if (!isOpen) return drawn;
  return html`<a href=${href({ stage: chosen ? null : place.name })} aria-label=${said(place, edge)} aria-current=${chosen ? "true" : null}>${drawn}</a>`;
}

export function Flow({ known, chosen }) {
  const [element, width] = useWidth();
  const plan = layout(Math.max(width, 300));
  const found = edges(known);
  const all = places(known);
  return html`<div ref=${element} class="picture">
    ${width > 0 && html`<svg width=${plan.width} height=${plan.height} viewBox="0 0 ${plan.width} ${plan.height}" role="group" aria-label="The flow from Genesys to EventBridge">
      <defs>${["plain", "warn", "bad"].map((name) => html`<marker key=${name} id="tip-${name}" class=${name} viewBox="0 0 8 8" refX="4" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" /></marker>`)}</defs>
      <g aria-hidden="true">${found.map((edge) => html`<${Edge} key=${`${edge.from}-${edge.to}`} edge=${edge} plan=${plan} />`)}</g>
      ${Object.values(all).map((place) => html`<${Place} key=${place.name} place=${place} box=${plan.boxes[place.name]} chosen=${chosen === place.name}
        edge=${found.find((edge) => edge.from === place.name && edge.waits)} />`)}
    </svg>`}
  </div>`;
}
