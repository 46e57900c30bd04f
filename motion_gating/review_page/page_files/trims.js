// ---- trim marks: kept in this browser, per page; exported for refine_motion.py --trim-file

const storedTrims = new Stored(`motion-trims ${location.pathname}`, repairTrim, "trim marks");
const FEWEST_ROWS = 4;

/** The marks of an entry from storage; undefined where they mark nothing. */
function repairTrim(trim) {
  const { first, last, fps } = trim ?? {};
  return Number.isInteger(first) && Number.isInteger(last) && 0 <= first && first < last && fps > 0 ? trim : undefined;
}

/** The marks of an entry; none if the motion or the prompt has changed since. */
function trimOf(entry) {
  const trim = storedTrims.read().get(entry.key);
  return trim && trim.about === entry.about ? trim : null;
}

function keepTrim(entry, trim) {
  const trims = storedTrims.read();
  if (trim) trims.set(entry.key, trim);
  else trims.delete(entry.key);
  storedTrims.write(trims);
}

/** Mark the shown frame as the first or the last one to keep. */
function markTrim(which) {
  const entry = byKey.get(state.open);
  if (!entry || !player) return;
  const { fps, frames, motion, startTime } = player.details;
  // Next to longer candidates, the scrubber is longer than this motion.
  const rows = Math.min(Math.round(player.duration * fps), frames ?? Infinity);
  const row = Math.min(rows - 1, Math.floor(player.time * fps + 1e-6));
  const { first = 0, last = rows - 1 } = trimOf(entry) || {};
  const [from, to] = which === "start" ? [row, last < row ? rows - 1 : last] : [first > row ? 0 : first, row];
  if (to - from + 1 < FEWEST_ROWS) return tell(`A trimmed motion needs at least ${FEWEST_ROWS} frames; mark a longer part.`);
  tell("");
  keepTrim(entry, from === 0 && to === rows - 1 ? null : { first: from, last: to, fps, motion, startTime, about: entry.about });
  showTrim(entry);
}

function clearTrim() {
  const entry = byKey.get(state.open);
  if (!entry) return;
  keepTrim(entry, null);
  showTrim(entry);
}

/** The span of rows first to last, in seconds from the motion's first row; it ends at the end of the last row. */
const trimSeconds = ({ first, last, fps }) => [first / fps, (last + 1) / fps];

function trimBar() {
  const button = (text, title, action) => {
    const node = make("button", { type: "button", title }, ...text);
    node.onclick = action;
    return node;
  };
  const words = make("span", { className: "trimwords" });
  words.setAttribute("role", "status");
  const bar = make("div", { className: "trim", role: "group" },
    button(["Start ", make("kbd", {}, "i")], "Trim: keep from this frame on (i)", () => markTrim("start")),
    button(["End ", make("kbd", {}, "o")], "Trim: keep up to this frame (o)", () => markTrim("end")), words,
    button(["Clear"], "Remove the trim marks of this entry", clearTrim),
    button(["Export trims"], "Save all trim marks for refine_motion.py --trim-file", exportTrims));
  bar.setAttribute("aria-label", "Trim");
  return bar;
}

function showTrim(entry) {
  const trim = trimOf(entry);
  const [start, end] = trim ? trimSeconds(trim) : [];
  find("entry").querySelector(".trimwords").textContent = trim ? `keep ${start.toFixed(2)} to ${end.toFixed(2)} s` : "whole clip";
  player.showMarks(trim ? [start, end] : null);
}

function trimText() {
  const lines = entries.map((entry) => [entry, trimOf(entry)]).filter(([, trim]) => trim).map(([entry, trim]) => {
    const seconds = trimSeconds(trim).map((value) => Number(value.toFixed(6)));
    return `  {"id": ${entry.idJson}, "motion": ${JSON.stringify(trim.motion)}, "seconds": ${JSON.stringify(seconds)}, `
      + `"fps": ${JSON.stringify(trim.fps)}, "start_time": ${JSON.stringify(trim.startTime)}}`;
  });
  return lines.length ? `[\n${lines.join(",\n")}\n]\n` : null;
}

function exportTrims() {
  const text = trimText();
  if (!text) return tell("There are no trim marks to export. Press i at the start and o at the end of the part to keep.");
  save("trims.json", text);
  tell("Trim marks exported to trims.json. Apply them with refine_motion.py --trim-file trims.json.");
}
