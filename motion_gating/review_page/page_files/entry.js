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
    script.onload = () => { if (!loaded.has(entry.key)) reject(new Error(`entries/${entry.key}.js is incomplete. Build the page again.`)); };
    script.onerror = () => reject(new Error(`entries/${entry.key}.js is missing. Keep the page and its folders together, or build it again.`));
    document.head.append(script);
  });
}

function open(key, keepPlace = false) {
  // Immediately, not after the address has changed: the next key press must find this entry open.
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
    const details = await detailsToShow(entry);
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
  const card = (title, ...parts) => make("section", { className: "card" }, make("h3", {}, title), ...parts);
  const why = details.reasons.length ? card("Why", list(details.reasons)) : null;
  const said = card(details.judge ? `What the judge saw – ${details.judge}` : "What the judge saw",
    make("p", {}, details.analysis || "No analysis."), details.evidence.length ? list(details.evidence) : null);
  const facts = card("Measured on the joints", list([...details.remarks, ...details.facts]));
  const wrong = details.problems.length ? card("What went wrong", list(details.problems)) : null;
  wrong?.classList.add("problems");
  const absent = details.absent.length ? make("p", { className: "absence" }, `Not shown: ${details.absent.join("; ")}.`) : null;
  const judged = details.analysis || details.evidence.length ? said : null;
  const columns = make("div", { className: "columns" }, entry.decision === true ? why : null, judged,
    details.facts.length || details.remarks.length ? facts : null);
  // If an entry does not pass, the reason comes first.
  holder.querySelector("header").after(...[wrong, entry.decision === true ? null : why].filter(Boolean));
  holder.append(...[player.videos, player.controls, compareBar(entry), judgeOf(entry), trimBar(), player.views, absent, momentButtons(player), columns,
    player.curves, numbersOf(entry, details)].filter(Boolean));
  showTrim(entry);
  addChoices(entry, player.videos);
  player.layout();
  player.seek(0);
}

function rateUnit(details) {
  if (!details.rateKnown) return "fps (assumed: the motion stores no rate)";
  return details.interpolatedFrom ? `fps, interpolated from ${short(details.interpolatedFrom)}` : "fps";
}

function numbersOf(entry, details) {
  const lines = batch.figures.map(({ name, unit }, number) => [name, entry.figures[number], unit]);
  lines.push(["duration", details.seconds, "s"], ["frames", details.frames, ""], ["frame rate", details.fps, rateUnit(details)]);
  const table = make("table", {}, make("tbody", {}, ...lines.map(([name, value, unit]) =>
    make("tr", {}, make("td", {}, name), make("td", {}, `${short(value)} `, make("span", { className: "unit" }, unit))))));
  return make("section", { className: "card" }, make("h3", {}, "Numbers"), table, details.motion ? make("p", { className: "id" }, details.motion) : null);
}

/** Open the entry that is this many places further in the filtered list. */
function step(by) {
  const place = state.shown.findIndex((entry) => entry.key === state.open);
  const next = place < 0 ? state.shown[0] : nextFrom(place, by);
  if (next) open(next.key);
  else tell(by > 0 ? "That was the last entry of the list." : "That is the first entry of the list.");
}
