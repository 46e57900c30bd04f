// ---- verdicts: kept in this browser, per page; each stores its reviewer, and which motion and prompt it is about
//
// An item: {reviewer, verdict, note, time, about, chosen, overruled}. "" is a reviewer without a name. Every entry may
// have an item of each reviewer. An item without a verdict, a note or a choice hides one that is built into the page.

const storageKey = `motion-review ${location.pathname}`;
const stored = new Stored(storageKey, repairItems, "verdicts");
const NOTHING = { verdict: null, note: "" };
let kept = new Map(); // key of an entry -> items
const past = []; // changes that can be undone, the latest last

/** The items of an entry from storage; an earlier page kept one without a reviewer. Undefined where one is broken. */
function repairItems(found) {
  const items = (Array.isArray(found) ? found : [found]).map((item) =>
    ({ ...item, reviewer: item?.reviewer ?? "", verdict: item?.verdict ?? null, note: item?.note ?? "" }));
  return items.every(isItem) ? items : undefined;
}

const isItem = ({ verdict, time, ...texts }) => (verdict === null || Object.hasOwn(ANSWERS, verdict))
  && ["reviewer", "note", "about"].every((part) => typeof texts[part] === "string") && typeof (time ?? "") === "string";

function readKept() {
  kept = stored.read();
}

const isGiven = (item) => Boolean(item.verdict) || typeof item.chosen === "boolean";
const isLater = (item, other) => Boolean(item.time && other.time) && Date.parse(item.time) > Date.parse(other.time);

/** All verdicts on an entry; none if the motion or the prompt has changed since. */
function saidOf(entry) {
  const own = (kept.get(entry.key) || []).filter((item) => item.about === entry.about);
  if (!entry.given) return own;
  const replaced = (item) => own.some((other) => other.reviewer === item.reviewer && !isLater(item, other));
  const built = entry.given.filter((item) => !replaced(item));
  return [...built, ...own.filter((item) => !built.some((other) => other.reviewer === item.reviewer))];
}

/** This reviewer's verdict on an entry. */
function verdictOf(entry) {
  return saidOf(entry).find((item) => item.reviewer === state.me) || NOTHING;
}

const othersOf = (entry) => saidOf(entry).filter((item) => item.reviewer !== state.me && isGiven(item));

/** Whether reviewers contradict each other, by verdict or choice, and the conflict is not settled. */
function isConflict(entry) {
  const items = saidOf(entry);
  if (items.length < 2) return false;
  const counting = items.filter((item) => !item.overruled);
  return contradict(counting.length ? counting : items);
}

/** "unsure", or no choice, contradicts nothing. */
function contradict(items) {
  const both = (part, yes, no) => items.some((item) => item[part] === yes) && items.some((item) => item[part] === no);
  return both("verdict", "match", "mismatch") || both("chosen", true, false);
}

function putItem(entry, item) {
  const others = (kept.get(entry.key) || []).filter((other) => other.reviewer !== item.reviewer);
  const says = isGiven(item) || item.note || entry.given?.some((other) => other.reviewer === item.reviewer);
  const items = says ? [...others, { ...item, about: entry.about }] : others;
  if (items.length) kept.set(entry.key, items);
  else kept.delete(entry.key);
}

/** Change the stored items of some entries, with undo. Changes with the same name are undone together. */
function change(name, changed, action) {
  readKept(); // another window may have the same page open
  const last = past.at(-1);
  if (last?.name !== name || !last.joins) past.push({ name, joins: name.startsWith("note"), before: new Map(), after: new Map() });
  const { before, after } = past.at(-1);
  for (const { key } of changed) if (!before.has(key)) before.set(key, kept.get(key));
  action();
  for (const { key } of changed) after.set(key, JSON.stringify(kept.get(key)));
  stored.write(kept);
  showChanged(changed);
}

function undo() {
  const last = past.pop();
  if (!last) return tell("There is nothing to undo.");
  readKept();
  // What another window changed since stays.
  const back = [...last.before].filter(([key]) => JSON.stringify(kept.get(key)) === last.after.get(key));
  for (const [key, items] of back) {
    if (items) kept.set(key, items);
    else kept.delete(key);
  }
  stored.write(kept);
  const others = last.before.size - back.length;
  const changed = [...last.before.keys()].map((key) => byKey.get(key));
  showChanged(changed);
  if (last.opens) open(changed[0].key);
  const which = last.before.size === 1 ? "The entry" : `${others} of ${last.before.size} entries`;
  const left = others ? ` ${which} ${others === 1 ? "was" : "were"} changed in another window, and ${others === 1 ? "stays" : "stay"}.` : "";
  tell(`Undone: ${last.name}.${left}`);
}

function showChanged(changed) {
  changed.forEach(showVerdict);
  showProgress();
  find("undo").disabled = !past.length;
  find("undo").title = past.length ? `Undo: ${past.at(-1).name} (Ctrl+Z)` : "Nothing to undo (Ctrl+Z)";
}

function setVerdict(entry, part) {
  const name = "note" in part ? `note on id ${entry.id}` : `verdict on id ${entry.id}`;
  change(name, [entry], () => putItem(entry, { ...verdictOf(entry), ...part, ...signature() }));
  past.at(-1).opens = true;
  askName();
}

/** The reviewer and the time of a verdict. */
function signature() {
  return { reviewer: state.me, time: new Date().toISOString(), overruled: false };
}

function exportText() {
  const lines = entries.flatMap((entry) => saidOf(entry).filter(isGiven).map((item) => exportLine(entry, item)));
  return lines.length ? `[\n${lines.join(",\n")}\n]\n` : "[]\n";
}

function exportLine(entry, { verdict, note, reviewer, time, chosen, overruled, usable }) {
  const parts = { analysis: note || null, content: entry.content };
  if (reviewer) parts.reviewer = reviewer;
  if (time) parts.time = time;
  if (typeof chosen === "boolean") parts.chosen = chosen;
  if (overruled) parts.overruled = true;
  if (typeof usable === "boolean") parts.usable = usable;
  const matches = verdict || chosen !== false ? ` "matches": ${JSON.stringify(verdict ? ANSWERS[verdict][3] : null)},` : "";
  // idJson is the id as the archive writes it: numbers of any size keep their digits and strings stay strings.
  return `  {"id": ${entry.idJson},${matches} ${JSON.stringify(parts).slice(1)}`;
}

function exportVerdicts() {
  const given = entries.flatMap((entry) => saidOf(entry).filter(isGiven));
  const older = olderVerdicts();
  if (!given.length) return tell(`There are no verdicts to export. Press m, x or u on an entry.${older}`);
  save("verdicts.json", exportText());
  const notes = entries.filter((entry) => verdictOf(entry).note && !isGiven(verdictOf(entry))).length;
  const people = new Set(given.map(({ reviewer }) => reviewer)).size;
  tell(`${counted(given.length, "verdict")}${people > 1 ? ` of ${people} reviewers` : ""} exported to verdicts.json.`
    + `${notes ? ` ${notes} with a note but no verdict omitted.` : ""}${older}`);
}

/** How many verdicts stay in this browser only. */
function olderVerdicts() {
  const other = ([key, items]) => items.filter((item) => isGiven(item) && item.about !== byKey.get(key)?.about).length;
  const count = [...kept].map(other).reduce((sum, number) => sum + number, 0);
  return count ? ` ${count} left out: given on another motion, description or archive.` : "";
}

// ---- the buttons of the open entry

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
    make("div", { className: "answers" }, ...buttons, next, make("label", { className: "auto" }, auto, "next entry after a verdict")), note,
    make("ul", { className: "others" }));
  showAnswers(entry, box);
  return box;
}

function showAnswers(entry, box = find("entry")) {
  const { verdict, note } = verdictOf(entry);
  for (const button of box.querySelectorAll("[data-verdict]")) button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
  const field = box.querySelector("textarea");
  if (field && field !== document.activeElement) field.value = note;
  box.querySelector(".others")?.replaceChildren(...sayOthers(entry));
  showChoice();
}

/** Give a verdict on the open entry; giving the same one again removes it. */
function answer(name) {
  const entry = byKey.get(state.open);
  if (!entry) return;
  const taken = verdictOf(entry).verdict === name;
  setVerdict(entry, { verdict: taken ? null : name });
  if (!taken && readSetting("auto") === "1") step(1);
}
