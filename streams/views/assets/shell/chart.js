// One chart by uPlot, in the colours and the time zone of the page; several with one `group` move their cursors together.
import uPlot from "../vendor/uplot.js";
import { html, useEffect, useRef } from "./html.js";
import { useStore } from "./store.js";
import { colour, colours } from "./theme.js";
import { clock, seconds } from "./time.js";

const AXIS_FONT = "11px system-ui, sans-serif";

function ticks(utc) {
  return (_, splits) => {
    const isFine = splits.length > 1 && splits[1] - splits[0] < 60;
    return splits.map((at) => (isFine ? seconds : clock)(at * 1000, utc));
  };
}

function axes(shown, utc, format) {
  const ink = colour("muted");
  const lines = { stroke: colour("line"), width: 1 };
  const common = { stroke: ink, grid: lines, ticks: { ...lines, size: 4 }, font: AXIS_FONT };
  return [
    { ...common, values: ticks(utc), grid: { show: false }, space: 70, size: shown ? 26 : 4, ...(shown ? {} : { values: () => [], ticks: { show: false } }) },
    { ...common, size: 56, space: 22, values: (_, splits) => splits.map(format), ticks: { show: false } },
  ];
}

/**
 * `xRange`: seconds, `[from, to]`. `series`: `[{label, color, fill, bars, width}]`; `data`: uPlot's, seconds first; `under` and `over` draw on the canvas below and
 * above the curves; `onPoint` is told the index under the cursor, or null.
 */
export function Chart({ label, data, series, height, utc, group, format = String, last = false, xRange = null, under, over, onPoint }) {
  const element = useRef(null);
  const plot = useRef(null);
  const turn = useStore(colours);
  const latest = useRef({});
  latest.current = { under, over, onPoint, data, xRange };

  useEffect(() => {
    const drawn = new uPlot({
      width: Math.max(200, element.current.clientWidth),
      height,
      pxAlign: 1,
      legend: { show: false },
      cursor: { sync: { key: group, setSeries: false }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
      scales: { x: { time: true, ...(xRange ? { range: () => latest.current.xRange } : {}) }, y: { range: (_, low, high) => [0, Math.max(high ?? 1, 1) * 1.08] } },
      axes: axes(last, utc, format),
      padding: [8, 10, 0, 0],
      series: [{}, ...series.map((one) => ({
        label: one.label,
        stroke: colour(one.color),
        fill: one.fill ? colour(one.fill) : undefined,
        width: one.width ?? 1.75,
        spanGaps: false,
        points: { show: one.bars ? false : (u, index, from, to) => to - from < 12, size: 4 },
        ...(one.bars ? { paths: uPlot.paths.bars({ size: [0.72, 220], align: 1 }), width: 0 } : {}),
      }))],
      hooks: {
        drawClear: [(u) => latest.current.under?.(u)],
        draw: [(u) => latest.current.over?.(u)],
        setCursor: [(u) => latest.current.onPoint?.(u.cursor.left >= 0 ? u.cursor.idx : null)],
      },
    }, latest.current.data, element.current);
    plot.current = drawn;
    const follower = new ResizeObserver(([entry]) => drawn.setSize({ width: Math.max(200, Math.floor(entry.contentRect.width)), height }));
    follower.observe(element.current);
    return () => {
      follower.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [turn, utc, height, group, last]);

  useEffect(() => plot.current?.setData(data), [data]);
  return html`<div class="chart" ref=${element} role="img" aria-label=${label}></div>`;
}
