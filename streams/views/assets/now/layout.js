// Where each place of the flow picture stands, in a wide and in a narrow window; pixels are as they are, so text stays readable.
const WIDE_FROM = 940;

function box(x, y, w, h) {
  return { x, y, w, h, cx: x + w / 2, cy: y + h / 2, right: x + w, bottom: y + h };
}

function wide(width) {
  const [w, h, y1, y2] = [124, 54, 26, 158];
  const step = (width - 2 - w) / 5;
  const at = (column, y) => box(1 + column * step, y, w, h);
  const boxes = {
    source: at(0, y1), raw: at(1, y1), process: at(2, y1), validated: at(3, y1), sink: at(4, y1), bus: at(5, y1),
    filtered: at(2, y2), failures: at(3, y2), mirror: at(4, y2), sqs: at(5, y2),
  };
  return { width, height: y2 + h + 14, boxes, wide: true };
}

function narrow(width) {
  const w = Math.min(150, (width - 60) / 2);
  const [h, step] = [50, 96];
  const left = Math.max(1, width / 2 - w - 70);
  const right = Math.min(width - 1 - w, width / 2 + 70);
  const at = (x, row) => box(x, 2 + row * step, w, h);
  const boxes = {
    source: at(left, 0), raw: at(left, 1), process: at(left, 2), validated: at(left, 3), sink: at(left, 4), bus: at(left, 5),
    filtered: at(right, 2), failures: at(right, 3), mirror: at(right, 4), sqs: at(right, 5),
  };
  return { width, height: 5 * step + h + 6, boxes, wide: false };
}

export const layout = (width) => (width >= WIDE_FROM ? wide(width) : narrow(width));

/** The line of an edge, and where its words stand: `{d, x, y, anchor}`. */
export function route(edge, { boxes, wide: isWide }) {
  const a = boxes[edge.from];
  const b = boxes[edge.to];
  const key = `${edge.from} ${edge.to}`;
  if (isWide) {
    if (key === "process failures") return around(a, b);
    if (key === "sink failures") return curve(a.x + 22, a.bottom, b.right - 30, b.y, "across");
    if (key === "process filtered") return { d: `M${a.cx} ${a.bottom}V${b.y - 5}`, x: a.cx - 10, y: (a.bottom + b.y) / 2, anchor: "end" };
    return { d: `M${a.right} ${a.cy}H${b.x - 5}`, x: (a.right + b.x - 4) / 2, y: a.cy, anchor: "middle", level: true };
  }
  if (key === "process filtered") return { d: `M${a.right} ${a.cy}H${b.x - 5}`, x: (a.right + b.x - 4) / 2, y: a.cy, anchor: "middle", level: true };
  if (key === "process failures") return curve(a.right - 14, a.bottom, b.x, b.cy - 8, "down", { x: b.x - 8, y: b.y - 14, anchor: "middle" });
  if (key === "sink failures") return curve(a.right - 14, a.y, b.x, b.cy + 10, "down");
  const isLeft = a.x < boxes.failures.x;
  return { d: `M${a.cx} ${a.bottom}V${b.y - 5}`, x: a.cx + (isLeft ? -10 : 10), y: (a.bottom + b.y) / 2 - 2, anchor: isLeft ? "end" : "start" };
}

/** Past the right side of the box that stands between. */
function around(a, b) {
  const [x1, x2, y1, y2] = [a.right - 22, a.right + (b.x - a.right) / 3, a.bottom, b.cy];
  const d = `M${x1} ${y1}C${x1} ${y1 + 34},${x2} ${y1 + 14},${x2} ${y1 + 52}S${x2} ${y2},${b.x - 5} ${y2}`;
  return { d, x: (x2 + b.x) / 2, y: y2 + 16, anchor: "middle" };
}

function curve(x1, y1, x2, y2, kind, words = null) {
  const d = kind === "down" ? `M${x1} ${y1}C${x1} ${y2},${x1} ${y2},${x2 - 5} ${y2}` : `M${x1} ${y1}C${x1} ${(y1 + y2) / 2},${x2} ${(y1 + y2) / 2},${x2} ${y2 - 5}`;
  return { d, ...words };
}
