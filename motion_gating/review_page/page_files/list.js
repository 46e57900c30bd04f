// ---- the overview: counts that filter, histogram, search, order, list

const SHOWN_CHARACTERS = 300; // of a prompt; the list shows two lines
const rows = new Map(); // of the entries that are in the list now

function differs(entry) {
  const answer = ANSWERS[verdictOf(entry).verdict];
  return Boolean(answer) && answer[3] !== null && typeof entry.vlm === "boolean" && answer[3] !== entry.vlm;
}

const IN_REVIEWED = {
  none: (entry) => !saidOf(entry).some(isGiven),
  given: (entry) => isGiven(verdictOf(entry)),
  differs,
  mine: isAssigned,
  missing: (entry) => isAssigned(entry) && !isGiven(verdictOf(entry)),
  conflicts: isConflict,
};

/** The useful filters by verdict: those about other reviewers only if there are any. */
function reviewedFilters() {
  const others = batch.given || [...kept.values()].some((items) => items.some((item) => item.reviewer !== state.me));
  const shown = { mine: batch.reviewers, missing: batch.reviewers || others, conflicts: others };
  return REVIEWED.filter(([name]) => !(name in shown) || shown[name] || state.reviewed === name);
}

function chips(holder, names, count, chosen, choose) {
  holder.replaceChildren(...names.map(([name, label, title]) => {
    const chip = make("button", { type: "button", title: title || "", className: "chip" }, `${label} `, make("b", {}, String(count(name))));
    chip.dataset.name = name;
    chip.setAttribute("aria-pressed", String(chosen === name));
    chip.onclick = () => choose(chosen === name || name === "all" ? null : name);
    return chip;
  }));
}

function showChips() {
  const focused = document.activeElement?.dataset?.name;
  const inGroup = (name) => (name === "all" ? entries : entries.filter((entry) => entry.groups.includes(name))).length;
  const groups = GROUPS.filter(([name]) => !["fast", "other"].includes(name) || inGroup(name));
  chips(find("groups"), [["all", "all", "every entry"], ...groups], inGroup, state.group || "all", (name) => { state.group = name; showList(); });
  const count = (name) => entries.filter(IN_REVIEWED[name]).length;
  chips(find("reviewed"), reviewedFilters(), count, state.reviewed, (name) => {
    state.reviewed = name;
    showList();
    if (!state.me && ["mine", "missing"].includes(name)) showNameDialog();
  });
  if (focused) document.querySelector(`.chips [data-name="${focused}"]`)?.focus();
}

function showProgress() {
  const own = batch.reviewers?.includes(state.me) ? entries.filter(isAssigned) : entries;
  const given = own.filter((entry) => isGiven(verdictOf(entry))).length;
  find("progress").textContent = `${given} of ${own.length}${own === entries ? "" : " of yours"} reviewed`;
  showChips();
}

function rowOf(entry) {
  const image = entry.poster ? make("img", { loading: "lazy", decoding: "async", alt: "", src: entry.poster }) : make("span", { className: "noimage" });
  const badges = entry.groups.map((name) => make("span", { className: `badge ${name}` }, GROUPS.find((group) => group[0] === name)[1]));
  const jitter = entry.figures[0] === null ? "" : `jitter ${short(entry.figures[0])}`;
  const what = make("span", { className: "what" },
    make("span", { className: "prompt" }, entry.prompt.slice(0, SHOWN_CHARACTERS) || "(no prompt)"),
    make("span", { className: "line" }, ...badges, make("span", {}, jitter), make("span", {}, `id ${entry.id}`), groupName(entry)));
  const row = make("button", { type: "button", className: "row" }, image, what, make("span", { className: "mine" }));
  row.onclick = () => open(entry.key);
  if (state.open === entry.key) row.setAttribute("aria-current", "true");
  rows.set(entry.key, row);
  markRow(entry);
  return row;
}

function groupName(entry) {
  if (!entry.group) return null;
  return make("span", {}, [`group ${entry.group}`, entry.seed === undefined ? null : `seed ${entry.seed}`, entry.rank ? `rank ${entry.rank}` : null].filter(Boolean).join(", "));
}

function showVerdict(entry) {
  markRow(entry);
  if (state.open === entry.key) showAnswers(entry);
}

function markRow(entry) {
  const mark = rows.get(entry.key)?.querySelector(".mine");
  if (mark) {
    const mine = verdictOf(entry);
    const conflict = isConflict(entry);
    mark.textContent = (mine.chosen ? "★" : mine.verdict ? ANSWERS[mine.verdict][1] : mine.chosen === false ? "·" : "") + (conflict ? " ≠" : "");
    mark.title = [isGiven(mine) ? `your verdict: ${wordsOf({ ...mine, note: "" })}` : "", conflict ? "reviewers contradict each other" : ""].filter(Boolean).join("; ");
    mark.setAttribute("aria-label", mark.title);
    mark.setAttribute("role", "img");
  }
}

function sortValue(entry) {
  if (state.sort === "order") return entry.place;
  if (state.sort === "seconds") return entry.seconds;
  if (state.sort === "prompt") return entry.prompt.toLowerCase();
  return entry.figures[Number(state.sort)];
}

function compare(first, second) {
  const [a, b] = [sortValue(first), sortValue(second)];
  if (a === null || b === null) return (a === null) - (b === null) || first.place - second.place; // unknown goes last either way
  const order = a < b ? -1 : a > b ? 1 : 0;
  return (state.ascending ? order : -order) || first.place - second.place;
}

function showList() {
  const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
  state.shown = entries.filter((entry) => (!state.group || entry.groups.includes(state.group))
    && (!state.reviewed || IN_REVIEWED[state.reviewed](entry))
    && words.every((word) => searched(entry).includes(word))).sort(compare);
  showBlock(0);
  find("count").textContent = `${state.shown.length} of ${counted(entries.length, "entry", "entries")}`;
  showChips();
}

const searched = (entry) => (entry.search ??= `${entry.prompt} ${entry.id}`.toLowerCase());

/** Put a part of the shown entries into the list; buttons lead to the parts before and after it. */
function showBlock(first) {
  const { shown } = state;
  state.first = first;
  rows.clear();
  find("list").replaceChildren(...shown.slice(first, first + BLOCK).map((entry) => make("li", {}, rowOf(entry))));
  const last = Math.min(shown.length, first + BLOCK);
  find("pager").hidden = shown.length <= BLOCK;
  find("place").textContent = `${first + 1} to ${last}`;
  find("before").disabled = first === 0;
  find("after").disabled = last === shown.length;
}

function turn(by) {
  showBlock(state.first + by * BLOCK);
  find("list").firstElementChild.scrollIntoView({ block: "nearest" });
}

/** The row of an entry; the list moves to the entry, unless the filters exclude it. */
function rowInList(entry) {
  if (!rows.has(entry.key)) {
    const place = state.shown.indexOf(entry);
    if (place >= 0) showBlock(place - (place % BLOCK));
  }
  return rows.get(entry.key);
}

function showSort() {
  const figures = batch.figures.map(({ name }, number) => [String(number), name]).filter(([number]) => entries.some((entry) => entry.figures[number] !== null));
  const orders = [["order", "as in the archive"], ...figures, ["seconds", "duration"], ["prompt", "prompt"]];
  find("sort").replaceChildren(...orders.map(([value, label]) => make("option", { value }, label)));
}

function showHistogram() {
  const values = entries.map((entry) => entry.figures[0]).filter((value) => value !== null).sort((a, b) => a - b);
  const figure = find("histogram");
  if (!values.length) return figure.remove();
  const above = values.filter((value) => value >= batch.threshold).length;
  const end = Math.max(2 * batch.threshold, values[Math.floor(0.98 * (values.length - 1))]);
  const bins = new Array(28).fill(0);
  for (const value of values) bins[Math.min(bins.length - 1, Math.floor((value / end) * bins.length))] += 1;
  const [width, height, floor, top] = [360, 96, 78, 14];
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.setAttribute("aria-label", `Histogram of jitter: ${values.length} entries, median ${short(values[values.length >> 1])}, ${above} at or above the threshold ${batch.threshold}`);
  bins.forEach((count, number) => {
    const bar = (count / Math.max(...bins)) * (floor - top);
    const from = (number / bins.length) * end;
    const rect = draw("rect", { x: (number / bins.length) * width + 0.5, y: floor - bar, width: width / bins.length - 1, height: bar, class: from >= batch.threshold - 1e-9 ? "over" : "under" });
    rect.append(draw("title", {}, `${count} with jitter from ${short(from)}${number === bins.length - 1 ? " up" : ` to ${short(from + end / bins.length)}`}`));
    svg.append(rect);
  });
  const limit = (batch.threshold / end) * width;
  svg.append(draw("line", { x1: 0, x2: width, y1: floor, y2: floor, class: "grid" }), draw("line", { x1: limit, x2: limit, y1: 2, y2: floor, class: "threshold" }));
  svg.append(draw("text", { x: limit + 4, y: 11, class: "thresholdname" }, `threshold ${batch.threshold}`));
  svg.append(draw("text", { x: 0, y: 92 }, "0"), draw("text", { x: width, y: 92, "text-anchor": "end" }, `${short(end)} and more`));
  figure.append(svg, make("figcaption", {}, `Jitter, ${batch.figures[0].unit}; ${above} of ${values.length} at or above the threshold`));
}
