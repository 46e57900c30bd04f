// ---- drawing the curves

const MARGIN = 40;

function valueAt({ start, step: width, values }, time) {
  const place = Math.round((time - start) / width);
  return place >= 0 && place < values.length ? short(values[place]) : "";
}

function describe(panel, worst) {
  const lines = panel.lines.map(({ name, values }) => `${name} from ${short(Math.min(...values))} to ${short(Math.max(...values))}`);
  const span = worst ? `; the worst half second is from ${worst[0].toFixed(2)} to ${worst[1].toFixed(2)} seconds` : "";
  return `${panel.title} over time in ${panel.unit}: ${lines.join(", ")}${span}`;
}

function niceStep(span, count) {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
}

function drawCurve(line, details, duration) {
  const { panel, svg } = line;
  const [width, height] = [svg.clientWidth || 600, svg.clientHeight || 110];
  const values = panel.lines.flatMap((item) => item.values);
  const low = Math.min(0, ...values);
  const high = Math.max(...values, panel.threshold ? panel.threshold * 1.1 : 1e-6) * 1.05;
  line.x = (time) => MARGIN + (time / duration) * (width - 2 * MARGIN);
  const y = (value) => height - 18 - ((value - low) / (high - low)) * (height - 28);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const parts = [];
  if (details.worst) {
    const [from, to] = details.worst.map(line.x);
    parts.push(draw("rect", { x: from, width: Math.max(2, to - from), y: 0, height: height - 18, class: "worst" }));
  }
  const tick = niceStep(high - low, 3);
  for (let value = Math.ceil(low / tick) * tick; value <= high; value += tick) {
    parts.push(draw("line", { x1: MARGIN, x2: width - MARGIN, y1: y(value), y2: y(value), class: "grid" }));
    parts.push(draw("text", { x: MARGIN - 5, y: y(value) + 4, "text-anchor": "end" }, short(Math.abs(value) < tick / 1e6 ? 0 : value)));
  }
  const second = niceStep(duration, Math.max(2, width / 110));
  for (let time = 0; time <= duration + 1e-9; time += second) {
    parts.push(draw("text", { x: line.x(time), y: height - 4, "text-anchor": "middle" }, `${short(time)} s`));
  }
  if (panel.threshold) parts.push(draw("line", { x1: MARGIN, x2: width - MARGIN, y1: y(panel.threshold), y2: y(panel.threshold), class: "threshold" }));
  for (const state of ["standing", "sliding"]) {
    (panel[state] || []).forEach((spans, foot) => {
      for (const [from, to] of spans) {
        const level = height - 19 - 4 * foot;
        parts.push(draw("line", { x1: line.x(from), x2: line.x(Math.min(to, duration)), y1: level, y2: level, class: `${state} curve-${foot}` }));
      }
    });
  }
  panel.lines.forEach((item) => {
    const points = item.values.map((value, place) => `${line.x(item.start + place * item.step).toFixed(1)},${y(value).toFixed(1)}`);
    parts.push(draw("polyline", { points: points.join(" "), class: `curve-${item.curve}${item.before ? " before" : ""}` }));
  });
  for (const { second, words } of details.moments.filter((moment) => moment.panel === panel.title)) {
    const mark = draw("circle", { cx: line.x(second), cy: 7, r: 6, class: "moment", "data-second": second });
    mark.append(draw("title", {}, words));
    parts.push(mark);
  }
  line.head.setAttribute("y1", 0);
  line.head.setAttribute("y2", height - 18);
  svg.replaceChildren(...parts, line.head);
}
