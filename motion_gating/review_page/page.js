"use strict";
// The page's script, top to bottom: data and state, verdicts, the overview, one entry (videos, scrubber, curves), keys, start.
// Everything that comes from the batch is put in as text (textContent), never as markup.

const batch = JSON.parse(document.getElementById("data").textContent);
const entries = batch.entries;
const byKey = new Map(entries.map((entry) => [entry.key, entry]));
const find = (id) => document.getElementById(id);

const GROUPS = [
  ["pass", "pass", "may condition a model"],
  ["mismatch", "mismatch", "the judge says that the clip does not match the description"],
  ["jitter", "jitter", "jitter is not below the threshold"],
  ["fast", "fast, not trembling", "its jitter is high because it moves fast"],
  ["other", "other limit", "another limit rejects it"],
  ["undecided", "undecided", "no decision: the reviewer or the judge was unsure, or nobody looked"],
  ["failed", "failed", "an error left figures or the verdict missing"],
];
const ANSWERS = { match: ["match", "✓", "m", true], mismatch: ["no match", "✗", "x", false], unsure: ["unsure", "?", "u", null] };
const REVIEWED = [["none", "no verdict yet"], ["given", "with your verdict"], ["differs", "you and the judge differ"]];

const state = { group: null, reviewed: null, words: "", sort: "order", ascending: true, shown: [], first: 0, open: null };
// The list holds this many rows; a browser can keep a hundred thousand entries in mind, but not that many rows.
const BLOCK = 1000;

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function draw(tag, attributes = {}, text = null) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return node;
}

const short = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(3))));

function tell(text) {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}

// ---- verdicts: kept in this browser, per page; each remembers which motion and prompt it is about

const storageKey = `motion-review ${location.pathname}`;
let kept = new Map();

function readKept() {
  try {
    kept = new Map(Object.entries(JSON.parse(localStorage.getItem(storageKey)) || {}));
  } catch {
    kept = new Map();
  }
}

function writeKept() {
  try {
    localStorage.setItem(storageKey, JSON.stringify(Object.fromEntries(kept)));
  } catch {
    tell("This browser does not let the page keep verdicts. Export them before you close it.");
  }
}

/** What the person said of an entry; nothing where the motion or the prompt has changed since. */
function verdictOf(entry) {
  const item = kept.get(entry.key);
  return item && item.about === entry.about ? item : { verdict: null, note: "" };
}

function setVerdict(entry, change) {
  readKept(); // another window may have the same page open
  const item = { ...verdictOf(entry), ...change, about: entry.about };
  if (item.verdict || item.note) kept.set(entry.key, item);
  else kept.delete(entry.key);
  writeKept();
  showVerdict(entry);
  showProgress();
}

function exportText() {
  const given = entries.filter((entry) => verdictOf(entry).verdict);
  const lines = given.map((entry) => {
    const { verdict, note } = verdictOf(entry);
    // idJson is the id as the archive writes it: numbers of any size keep their digits and strings stay strings.
    return `  {"id": ${entry.idJson}, "matches": ${JSON.stringify(ANSWERS[verdict][3])}, "analysis": ${JSON.stringify(note || null)}, "content": ${JSON.stringify(entry.content)}}`;
  });
  return lines.length ? `[\n${lines.join(",\n")}\n]\n` : "[]\n";
}

function exportVerdicts() {
  const given = entries.filter((entry) => verdictOf(entry).verdict).length;
  if (!given) return tell("There are no verdicts to export. Press m, x or u on an entry.");
  const link = make("a", { href: URL.createObjectURL(new Blob([exportText()], { type: "application/json" })), download: "verdicts.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  const notes = entries.filter((entry) => verdictOf(entry).note && !verdictOf(entry).verdict).length;
  tell(`${given} ${given === 1 ? "verdict" : "verdicts"} exported to verdicts.json.${notes ? ` ${notes} with a note and no verdict left out.` : ""}`);
}

/** JSON with every number as its text, so that ids keep all digits: 9007199254740993 and 1.0 stay as they are. */
function parseWithNumbersAsText(text) {
  JSON.parse(text); // throws where it is no JSON
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token[0] === '"' ? token : `"${token}"`)));
}

/** Whether a verdict was given on another motion, clip or description; unknown parts agree with everything. */
function isAboutOther(content, entry) {
  if (!content || typeof content !== "object") return false;
  return ["motion", "clip", "text"].some((part) => content[part] && entry.content[part] && content[part] !== entry.content[part]);
}

async function importVerdicts(file) {
  const ids = new Map(entries.map((entry) => [entry.id, entry]));
  let items;
  try {
    items = parseWithNumbersAsText(await file.text());
    if (!Array.isArray(items)) throw new Error("it holds no list");
  } catch (error) {
    return tell(`${file.name} cannot be read: ${error.message}.`);
  }
  const usable = items.filter((item) => item && ids.has(String(item.id)) && [true, false, null].includes(item.matches));
  const current = usable.filter((item) => !isAboutOther(item.content, ids.get(String(item.id))));
  readKept();
  const conflicts = [];
  for (const item of current) {
    const entry = ids.get(String(item.id));
    const theirs = { verdict: item.matches === null ? "unsure" : item.matches ? "match" : "mismatch", note: typeof item.analysis === "string" ? item.analysis : "", about: entry.about };
    const mine = verdictOf(entry);
    const noteDiffers = mine.note && theirs.note && mine.note !== theirs.note;
    if ((mine.verdict && mine.verdict !== theirs.verdict) || noteDiffers) conflicts.push({ entry, mine, theirs });
    else kept.set(entry.key, { ...theirs, note: theirs.note || mine.note });
  }
  showImported();
  const other = usable.length - current.length;
  tell(`${current.length - conflicts.length} of ${items.length} verdicts of ${file.name} imported.${other ? ` ${other} refused: they are about another motion, clip or description.` : ""}`
    + `${conflicts.length ? ` ${conflicts.length} differ from yours.` : ""}`);
  if (conflicts.length) showConflicts(conflicts);
}

function showImported() {
  writeKept();
  entries.forEach(showVerdict);
  showProgress();
}

/** Let the reviewer choose where an imported verdict differs; nothing is overwritten unless it is checked. */
function showConflicts(conflicts) {
  const words = ({ verdict, note }) => `${verdict ? ANSWERS[verdict][0] : "no verdict"}${note ? ` (${note})` : ""}`;
  const boxes = conflicts.map(() => make("input", { type: "checkbox" }));
  find("differing").replaceChildren(...conflicts.map(({ entry, mine, theirs }, number) =>
    make("li", {}, make("label", {}, boxes[number], ` id ${entry.id}: yours ${words(mine)}, imported ${words(theirs)}`))));
  find("conflicts").returnValue = "";
  find("conflicts").onclose = () => {
    const choice = find("conflicts").returnValue;
    readKept();
    const taken = conflicts.filter((_, number) => choice === "all" || (choice === "checked" && boxes[number].checked));
    for (const { entry, theirs } of taken) kept.set(entry.key, theirs);
    showImported();
    tell(`${taken.length} of ${conflicts.length} differing verdicts replaced; the others are as they were.`);
  };
  find("conflicts").showModal();
}

// ---- the overview: counts that filter, histogram, search, order, list

const rows = new Map(); // of the entries that are in the list now

function differs(entry) {
  const answer = ANSWERS[verdictOf(entry).verdict];
  return Boolean(answer) && answer[3] !== null && typeof entry.vlm === "boolean" && answer[3] !== entry.vlm;
}

function inReviewed(entry, name) {
  const given = Boolean(verdictOf(entry).verdict);
  return name === "differs" ? differs(entry) : name === "given" ? given : !given;
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
  const count = (name) => entries.filter((entry) => inReviewed(entry, name)).length;
  chips(find("reviewed"), REVIEWED, count, state.reviewed, (name) => { state.reviewed = name; showList(); });
  if (focused) document.querySelector(`.chips [data-name="${focused}"]`)?.focus();
}

function showProgress() {
  const given = entries.filter((entry) => verdictOf(entry).verdict).length;
  find("progress").textContent = `${given} of ${entries.length} reviewed`;
  showChips();
}

function rowOf(entry) {
  const image = entry.poster ? make("img", { loading: "lazy", decoding: "async", alt: "", src: entry.poster }) : make("span", { className: "noimage" });
  const badges = entry.groups.map((name) => make("span", { className: `badge ${name}` }, GROUPS.find((group) => group[0] === name)[1]));
  const jitter = entry.figures[0] === null ? "" : `jitter ${short(entry.figures[0])}`;
  const what = make("span", { className: "what" },
    make("span", { className: "prompt" }, entry.prompt || "(no prompt)"),
    make("span", { className: "line" }, ...badges, make("span", {}, jitter), make("span", {}, `id ${entry.id}`)));
  const row = make("button", { type: "button", className: "row" }, image, what, make("span", { className: "mine" }));
  row.onclick = () => open(entry.key);
  if (state.open === entry.key) row.setAttribute("aria-current", "true");
  rows.set(entry.key, row);
  markRow(entry);
  return row;
}

function showVerdict(entry) {
  markRow(entry);
  if (state.open === entry.key) showAnswers(entry);
}

function markRow(entry) {
  const { verdict } = verdictOf(entry);
  const mark = rows.get(entry.key)?.querySelector(".mine");
  if (mark) {
    mark.textContent = verdict ? ANSWERS[verdict][1] : "";
    mark.title = verdict ? `your verdict: ${ANSWERS[verdict][0]}` : "";
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
    && (!state.reviewed || inReviewed(entry, state.reviewed))
    && words.every((word) => searched(entry).includes(word))).sort(compare);
  showBlock(0);
  find("count").textContent = `${state.shown.length} of ${entries.length} ${entries.length === 1 ? "entry" : "entries"}`;
  showChips();
}

const searched = (entry) => (entry.search ??= `${entry.prompt} ${entry.id}`.toLowerCase());

/** Put a part of the shown entries into the list; what is left out on either side can be reached with a button. */
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

/** The row of an entry; the list moves to where the entry is, unless the filters leave it out. */
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

// ---- one entry

const loaded = new Map();
const waiting = new Map();
let player = null;

/** Called by entries/<key>.js. */
window.reviewEntry = (key, details) => {
  loaded.set(key, details);
  waiting.get(key)?.(details);
};

function detailsOf(entry) {
  if (loaded.has(entry.key)) return Promise.resolve(loaded.get(entry.key));
  return new Promise((resolve, reject) => {
    waiting.set(entry.key, resolve);
    const script = make("script", { src: `entries/${encodeURIComponent(entry.key)}.js` });
    script.onerror = () => reject(new Error(`entries/${entry.key}.js is missing. Keep the page and its folders together, or build it again.`));
    document.head.append(script);
  });
}

function open(key, keepPlace = false) {
  // At once, not when the address has changed: the next key press must find this entry open.
  show(key, keepPlace);
  if (location.hash !== `#${encodeURIComponent(key)}`) location.hash = encodeURIComponent(key);
}

async function show(key, keepPlace = false) {
  const entry = byKey.get(key);
  if (!entry) return close();
  rows.get(state.open)?.removeAttribute("aria-current");
  state.open = key;
  const row = rowInList(entry);
  row?.setAttribute("aria-current", "true");
  if (!keepPlace) row?.scrollIntoView({ block: "nearest" });
  document.body.classList.add("reading");
  player?.stop();
  player = null;
  const holder = find("entry");
  holder.setAttribute("aria-label", `Entry ${entry.id}`);
  holder.replaceChildren(headOf(entry), make("p", { className: "fullprompt" }, entry.prompt || "(no prompt)"));
  holder.scrollTop = 0;
  try {
    const details = await detailsOf(entry);
    if (state.open === key) fill(holder, entry, details);
  } catch (error) {
    if (state.open === key) holder.append(judgeOf(entry), make("p", { className: "card problems" }, error.message));
  }
}

function close() {
  document.body.classList.remove("reading");
  player?.pause();
}

function headOf(entry) {
  const words = { true: ["pass", "passes: may condition a model"], false: ["mismatch", "rejected"], null: ["undecided", "undecided"] }[entry.decision];
  if (entry.decision === null && entry.groups.includes("failed")) words.splice(0, 2, "failed", "failed");
  const back = make("button", { type: "button", className: "back" }, "← List");
  back.onclick = () => { location.hash = ""; };
  return make("header", {}, back, make("span", { className: `badge decision ${words[0]}` }, words[1]),
    make("span", { className: "id" }, `id ${entry.id}`));
}

function fill(holder, entry, details) {
  player = new Player(details);
  const list = (items) => make("ul", {}, ...items.map((item) => make("li", {}, item)));
  const why = make("section", { className: "card" }, make("h3", {}, "Why"), list(details.reasons));
  const said = make("section", { className: "card" }, make("h3", {}, details.judge ? `What the judge saw – ${details.judge}` : "What the judge saw"),
    make("p", {}, details.analysis || "No analysis."), details.evidence.length ? list(details.evidence) : null);
  const facts = make("section", { className: "card" }, make("h3", {}, "Measured on the joints"), list([...details.remarks, ...details.facts]));
  const columns = make("div", { className: "columns" }, details.reasons.length ? why : null, details.analysis || details.evidence.length ? said : null,
    details.facts.length || details.remarks.length ? facts : null);
  const parts = [player.videos, player.controls, judgeOf(entry), columns, player.curves, numbersOf(entry, details)];
  if (details.absent.length) parts.splice(2, 0, make("p", { className: "absence" }, `Not shown: ${details.absent.join("; ")}.`));
  if (details.problems.length) parts.unshift(make("section", { className: "card problems" }, make("h3", {}, "What went wrong"), list(details.problems)));
  holder.append(...parts);
  player.layout();
  player.seek(0);
}

function rateUnit(details) {
  if (!details.rateKnown) return "fps (assumed: the motion holds no rate)";
  return details.interpolatedFrom ? `fps, interpolated from ${short(details.interpolatedFrom)}` : "fps";
}

function numbersOf(entry, details) {
  const lines = batch.figures.map(({ name, unit }, number) => [name, entry.figures[number], unit]);
  lines.push(["duration", details.seconds, "s"], ["frames", details.frames, ""], ["frame rate", details.fps, rateUnit(details)]);
  const table = make("table", {}, make("tbody", {}, ...lines.map(([name, value, unit]) =>
    make("tr", {}, make("td", {}, name), make("td", {}, `${short(value)} `, make("span", { className: "unit" }, unit))))));
  return make("section", { className: "card" }, make("h3", {}, "Numbers"), table, details.motion ? make("p", { className: "id" }, details.motion) : null);
}

function judgeOf(entry) {
  const buttons = Object.entries(ANSWERS).map(([name, [label, mark, key]]) => {
    const button = make("button", { type: "button", title: `${label} (${key})` }, `${mark} ${label} `, make("kbd", {}, key));
    button.dataset.verdict = name;
    button.onclick = () => answer(name);
    return button;
  });
  const next = make("button", { type: "button", title: "next entry (j)", className: "next" }, "Next ", make("kbd", {}, "j"));
  next.onclick = () => step(1);
  const auto = make("input", { type: "checkbox", checked: readSetting("auto") === "1" });
  auto.onchange = () => writeSetting("auto", auto.checked ? "1" : "0");
  const note = make("textarea", { id: "note", rows: 1, placeholder: "Note (n)", "aria-label": "Note", value: verdictOf(entry).note });
  note.oninput = () => setVerdict(entry, { note: note.value });
  const box = make("section", { className: "judge", "aria-label": "Your verdict" },
    make("div", { className: "answers" }, ...buttons, next, make("label", { className: "auto" }, auto, "next entry after a verdict")), note);
  showAnswers(entry, box);
  return box;
}

function showAnswers(entry, box = find("entry")) {
  const { verdict, note } = verdictOf(entry);
  for (const button of box.querySelectorAll("[data-verdict]")) button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
  const field = box.querySelector("textarea");
  if (field && field !== document.activeElement) field.value = note;
}

/** Give a verdict on the open entry; the same one again takes it back. */
function answer(name) {
  const entry = byKey.get(state.open);
  if (!entry) return;
  const taken = verdictOf(entry).verdict === name;
  setVerdict(entry, { verdict: taken ? null : name });
  if (!taken && readSetting("auto") === "1") step(1);
}

/** Open the entry that many places on in the list as it is filtered now. */
function step(by) {
  const place = state.shown.findIndex((entry) => entry.key === state.open);
  const next = state.shown[place < 0 ? 0 : place + by];
  if (next) open(next.key);
  else tell(by > 0 ? "That was the last entry of the list." : "That is the first entry of the list.");
}

// ---- videos, scrubber and curves of one entry, on one clock that counts the motion's seconds

class Player {
  constructor(details) {
    this.details = details;
    this.time = 0;
    this.playing = false;
    this.clips = [];
    this.lines = [];
    this.videos = make("div", { className: "videos" }, ...details.videos.map((video) => this.figure(video)));
    this.controls = this.makeControls();
    this.curves = this.makeCurves();
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.curves);
  }

  /** Seconds of the motion; of its longest video where the motion does not say. */
  get duration() {
    return this.details.seconds || Math.max(0.1, ...this.clips.map(({ node, scale, offset }) => ((node.duration || 0) - offset) / scale));
  }

  figure({ kind, title, src, scale, offset }) {
    const figure = make("figure", { className: kind });
    const absent = (text) => make("div", { className: "absent" }, text);
    const node = make("video", { src, muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
    node.setAttribute("aria-label", `${title} of this entry`);
    const clip = { node, scale, offset };
    node.onerror = () => {
      if (!this.playing && !node.getAttribute("src")) return; // taken away on purpose
      this.clips = this.clips.filter((other) => other !== clip);
      node.replaceWith(absent(`This video cannot be shown: ${decodeURIComponent(src)}`));
    };
    node.onloadedmetadata = () => this.place(clip, true);
    this.clips.push(clip);
    figure.append(node);
    figure.append(make("figcaption", {}, title));
    return figure;
  }

  makeControls() {
    this.button = make("button", { type: "button", className: "play", title: "Play or pause (Space)" }, "▶ Play");
    this.button.onclick = () => this.toggle();
    this.slider = make("input", { type: "range", min: 0, max: this.details.seconds || 1, step: "any", value: 0 });
    this.slider.setAttribute("aria-label", "Time in the clip");
    this.slider.oninput = () => this.seek(Number(this.slider.value));
    this.speed = make("select", { title: "Speed", "aria-label": "Speed" }, ...[0.25, 0.5, 1, 2].map((value) => make("option", { value, selected: value === 1 }, `${value}×`)));
    this.speed.onchange = () => { if (this.playing) this.play(); };
    this.clock = make("output");
    const worst = this.details.worst ? make("button", { type: "button", title: "Go to the half second with the most jitter (w)" }, "Worst ½ s") : null;
    if (worst) worst.onclick = () => this.seek(this.details.worst[0]);
    return make("div", { className: "player" }, this.button, this.slider, this.clock, this.speed, worst);
  }

  toggle() { if (this.playing) this.pause(); else this.play(); }

  play() {
    if (this.time >= this.duration - 0.5 / this.details.fps) this.seek(0);
    this.playing = true;
    this.button.textContent = "❚❚ Pause";
    const speed = Number(this.speed.value);
    this.from = [performance.now(), this.time, speed];
    for (const { node, scale } of this.clips) {
      node.playbackRate = Math.min(16, Math.max(0.07, speed * scale));
      node.play().catch(() => {});
    }
    cancelAnimationFrame(this.frame);
    this.tick();
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.button.textContent = "▶ Play";
    for (const clip of this.clips) {
      clip.node.pause();
      this.place(clip, true);
    }
  }

  tick() {
    const [began, time, speed] = this.from;
    this.time = time + ((performance.now() - began) / 1000) * speed;
    if (this.time >= this.duration) {
      this.time = this.duration;
      this.pause();
    } else {
      this.frame = requestAnimationFrame(() => this.tick());
    }
    for (const clip of this.clips) this.place(clip, false);
    this.mark();
  }

  /** Bring a video to the clock's time; while playing only where it has drifted. */
  place({ node, scale, offset }, exactly) {
    if (!(node.duration > 0)) return;
    const target = Math.min(Math.max(0, offset + this.time * scale), Math.max(0, node.duration - 0.001));
    if (exactly || Math.abs(node.currentTime - target) > 0.15) node.currentTime = target;
  }

  seek(time) {
    this.time = Math.min(Math.max(0, time), this.duration);
    if (this.playing) this.play();
    for (const clip of this.clips) this.place(clip, true);
    this.mark();
  }

  /** A step of whole frames; halfway into a frame, so that rounding does not show its neighbour. */
  step(frames) {
    this.pause();
    const last = Math.max(0, Math.round(this.duration * this.details.fps) - 1);
    const frame = Math.min(last, Math.max(0, Math.floor(this.time * this.details.fps + 1e-6) + frames));
    this.seek((frame + 0.5) / this.details.fps);
  }

  stop() {
    this.pause();
    this.observer.disconnect();
    for (const { node } of this.clips) {
      node.onerror = null;
      node.removeAttribute("src"); // frees the decoder
      node.load();
    }
  }

  /** Show the time everywhere: scrubber, clock, curves. */
  mark() {
    this.slider.max = this.duration;
    this.slider.value = this.time;
    this.slider.setAttribute("aria-valuetext", `${this.time.toFixed(2)} seconds of ${this.duration.toFixed(2)}`);
    const frame = Math.floor(this.time * this.details.fps + 1e-6);
    this.clock.textContent = `${this.time.toFixed(2)} / ${this.duration.toFixed(2)} s, frame ${Math.min(frame, (this.details.frames || Infinity) - 1)}`;
    for (const line of this.lines) {
      const x = line.x(this.time);
      line.head.setAttribute("x1", x);
      line.head.setAttribute("x2", x);
      line.now.forEach((node, number) => { node.textContent = valueAt(line.panel.lines[number], this.time); });
    }
  }

  makeCurves() {
    const section = make("section", { className: "card curves", "aria-label": "Curves over time" });
    if (!this.details.panels.length) section.append(make("p", {}, "No curves: this entry has no joints."));
    for (const panel of this.details.panels) {
      const sides = (line) => `key ${["left", "right"][line.curve]}${line.before ? " before" : ""}`;
      const now = panel.lines.map(() => make("span", { className: "now" }));
      const legend = panel.lines.map((line, number) => make("span", {}, make("span", { className: sides(line) }, line.name), " ", now[number]));
      const svg = draw("svg", { role: "img", "aria-label": describe(panel, this.details.worst) });
      svg.addEventListener("pointerdown", (event) => this.drag(event, svg));
      this.lines.push({ panel, svg, now, head: draw("line", { class: "head" }), x: () => 0 });
      section.append(make("div", { className: "curve" }, make("h3", {}, `${panel.title}, ${panel.unit}`, ...legend), svg));
    }
    return section;
  }

  drag(event, svg) {
    const seek = ({ clientX }) => {
      const box = svg.getBoundingClientRect();
      this.seek(((clientX - box.left - MARGIN) / (box.width - 2 * MARGIN)) * this.duration);
    };
    seek(event);
    svg.setPointerCapture(event.pointerId);
    svg.onpointermove = seek;
    svg.onpointerup = svg.onpointercancel = () => { svg.onpointermove = null; };
  }

  /** Draw the curves for the width there is. */
  layout() {
    for (const line of this.lines) drawCurve(line, this.details, this.duration);
    this.mark();
  }
}

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
  (panel.standing || []).forEach((spans, foot) => {
    for (const [from, to] of spans) {
      const level = height - 19 - 4 * foot;
      parts.push(draw("line", { x1: line.x(from), x2: line.x(Math.min(to, duration)), y1: level, y2: level, class: `standing curve-${foot}` }));
    }
  });
  panel.lines.forEach((item) => {
    const points = item.values.map((value, place) => `${line.x(item.start + place * item.step).toFixed(1)},${y(value).toFixed(1)}`);
    parts.push(draw("polyline", { points: points.join(" "), class: `curve-${item.curve}${item.before ? " before" : ""}` }));
  });
  line.head.setAttribute("y1", 0);
  line.head.setAttribute("y2", height - 18);
  svg.replaceChildren(...parts, line.head);
}

// ---- keys, settings, start

function readSetting(name) {
  try {
    return localStorage.getItem(`motion-review-setting ${name}`);
  } catch {
    return null;
  }
}

function writeSetting(name, value) {
  try {
    localStorage.setItem(`motion-review-setting ${name}`, value);
  } catch { /* the setting holds until the page closes */ }
}

function toggleTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  writeSetting("theme", document.documentElement.dataset.theme);
}

const KEYS = {
  m: () => answer("match"),
  x: () => answer("mismatch"),
  u: () => answer("unsure"),
  n: () => find("note")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  " ": () => player?.toggle(),
  ArrowLeft: () => player?.step(-1),
  ArrowRight: () => player?.step(1),
  w: () => player?.details.worst && player.seek(player.details.worst[0]),
  "/": () => find("search").focus(),
  e: exportVerdicts,
  "?": () => find("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || find("help").open || find("conflicts").open) return;
  const { target } = event;
  const writes = target.matches("textarea, input[type=search], select");
  if (event.key === "Escape" && writes) {
    target.blur();
    find("entry").focus();
  }
  if (writes || (event.key === " " && target.matches("button, input[type=checkbox], input[type=file]"))) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

function start() {
  entries.forEach((entry, place) => {
    entry.place = place;
  });
  const theme = readSetting("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  readKept();
  find("said").textContent = [`${entries.length} ${entries.length === 1 ? "entry" : "entries"}`, batch.said].filter(Boolean).join(", ");
  showSort();
  showHistogram();
  showProgress();
  showList();
  find("search").oninput = (event) => { state.words = event.target.value; showList(); };
  find("sort").onchange = (event) => { state.sort = event.target.value; showList(); };
  find("order").onclick = (event) => {
    state.ascending = !state.ascending;
    event.currentTarget.textContent = state.ascending ? "↑" : "↓";
    event.currentTarget.setAttribute("aria-label", `Order: ${state.ascending ? "ascending" : "descending"}`);
    showList();
  };
  find("before").onclick = () => turn(-1);
  find("after").onclick = () => turn(1);
  find("export").onclick = exportVerdicts;
  find("import").onchange = (event) => { if (event.target.files[0]) importVerdicts(event.target.files[0]); event.target.value = ""; };
  find("keys").onclick = () => find("help").showModal();
  find("theme").onclick = toggleTheme;
  const keyInAddress = () => decodeURIComponent(location.hash.slice(1));
  window.addEventListener("hashchange", () => {
    const key = keyInAddress();
    if (!key) close();
    else if (key !== state.open || !document.body.classList.contains("reading")) show(key);
  });
  window.addEventListener("storage", (event) => { if (event.key === storageKey) { readKept(); entries.forEach(showVerdict); showProgress(); } });
  const wide = matchMedia("(min-width: 801px)").matches;
  if (byKey.has(keyInAddress())) show(keyInAddress());
  else if (wide && state.shown.length) show(state.shown[0].key);
}

start();
