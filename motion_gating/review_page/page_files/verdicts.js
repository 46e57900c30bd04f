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
