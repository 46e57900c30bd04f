// ---- candidates of one group, side by side on one scrubber

const MOST_COMPARED = 4;
const groups = new Map(); // group -> its entries

function candidatesOf(entry) {
  return (entry.group && groups.get(entry.group)) || [entry];
}

/** The candidates shown with an entry: at most four, the entry's part of its group. */
function comparedWith(entry) {
  const all = candidatesOf(entry);
  const first = Math.floor(all.indexOf(entry) / MOST_COMPARED) * MOST_COMPARED;
  return all.slice(first, first + MOST_COMPARED);
}

const isCompared = (entry) => candidatesOf(entry).length > 1 && readSetting("compare") !== "0";

/** The details of an entry, with the videos of all candidates instead of its own ones. */
async function detailsToShow(entry) {
  const own = await detailsOf(entry);
  if (!isCompared(entry)) return own;
  const compared = comparedWith(entry);
  const found = await Promise.all(compared.map((other) => detailsOf(other).catch(() => ({ videos: [] }))));
  const videos = found.map(({ videos: all }, number) => {
    const video = ["front", "lit"].map((kind) => all.find((one) => one.kind === kind)).find(Boolean) || all[0];
    return { ...(video || { src: null, scale: 1, offset: 0 }), kind: `candidate c${number + 1}`, title: candidateTitle(compared[number], number), extra: false, below: null };
  });
  const seconds = Math.max(0, ...found.map((details) => details.seconds || 0)) || own.seconds;
  return { ...own, videos, seconds, absent: [] };
}

function candidateTitle(entry, number) {
  const rank = entry.rank ? `, rank ${entry.rank}` : "";
  return `${number + 1}: id ${entry.id}${entry.seed === undefined ? "" : `, seed ${entry.seed}`}${rank}`;
}

/** Put a button that chooses the candidate under each video. */
function addChoices(entry, videos) {
  if (!isCompared(entry)) return;
  comparedWith(entry).forEach((other, number) => {
    const button = make("button", { type: "button", title: `This candidate is the best of its group (${number + 1})` }, "Choose ", make("kbd", {}, String(number + 1)));
    button.dataset.choose = other.key;
    button.setAttribute("aria-label", `Choose candidate ${number + 1}`);
    button.onclick = () => choose(number);
    videos.children[number].querySelector("figcaption").append(button);
  });
  showChoice();
}

/** Buttons to show other candidates of a large group, and to switch between candidates and the views of one entry. */
function compareBar(entry) {
  const all = candidatesOf(entry);
  if (all.length < 2) return null;
  const compared = comparedWith(entry);
  const place = all.indexOf(compared[0]);
  const turn = all.length > MOST_COMPARED ? make("button", { type: "button" }, `Candidates ${place + 1} to ${place + compared.length} of ${all.length} →`) : null;
  if (turn) turn.onclick = () => open((all[place + MOST_COMPARED] || all[0]).key);
  const view = make("button", { type: "button", title: "Candidates side by side, or all views of this one (c)" }, isCompared(entry) ? "Views of this one " : "Compare candidates ", make("kbd", {}, "c"));
  view.onclick = toggleCompare;
  return make("div", { className: "compare" }, ...[turn, view].filter(Boolean));
}

function toggleCompare() {
  const entry = byKey.get(state.open);
  if (!entry || candidatesOf(entry).length < 2) return;
  writeSetting("compare", isCompared(entry) ? "0" : "1");
  show(entry.key);
}

/** Choose a candidate of the open group: it matches, unless the reviewer said otherwise; choosing it again removes the choice. */
function choose(number) {
  const entry = byKey.get(state.open);
  if (!entry || !isCompared(entry)) return;
  const chosen = comparedWith(entry)[number];
  if (!chosen) return;
  const all = candidatesOf(entry);
  const taken = verdictOf(chosen).chosen === true;
  change(`choice of id ${chosen.id}`, all, () => all.forEach((other) => {
    const mine = verdictOf(other);
    const part = taken ? { chosen: undefined } : { chosen: other === chosen };
    if (other === chosen && !taken && !mine.verdict) part.verdict = "match";
    putItem(other, { ...mine, ...part, ...signature() });
  }));
  past.at(-1).opens = true;
  askName();
  if (!taken && readSetting("auto") === "1") step(1);
}

/** Mark the chosen candidate. */
function showChoice() {
  for (const button of document.querySelectorAll("[data-choose]")) {
    button.setAttribute("aria-pressed", String(verdictOf(byKey.get(button.dataset.choose)).chosen === true));
  }
}

/** The next entry of the list in a direction; while comparing candidates, the next one of another group. */
function nextFrom(place, by) {
  const from = state.shown[place];
  let next = place + by;
  while (from && isCompared(from) && state.shown[next]?.group === from.group) next += by;
  return state.shown[next];
}
