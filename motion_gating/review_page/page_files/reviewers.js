// ---- several reviewers: the reviewer's name, verdicts of others, and merging of imports

/** Ask for the name once, after the first verdict, even if the reviewer gives none. */
function askName() {
  if (!state.me && readSetting("asked") !== "1") showNameDialog();
}

function showNameDialog() {
  writeSetting("asked", "1");
  find("name").value = state.me;
  find("names").replaceChildren(...(batch.reviewers || []).map((name) => make("option", { value: name })));
  find("naming").returnValue = "";
  find("naming").showModal();
}

/** A text that is equal for all spellings of a name: without capitals, doubled spaces and forms of Unicode. */
const personOf = (name) => name.trim().split(/\s+/).join(" ").normalize("NFC").toLowerCase().normalize("NFC");

/** The reviewers on the page by their person; the first spelling of a name counts. */
function knownNames() {
  const names = [...(batch.reviewers || []), state.me, ...entries.flatMap((entry) => saidOf(entry).map((item) => item.reviewer))];
  return new Map(names.filter(Boolean).reverse().map((name) => [personOf(name), name]));
}

function setName(written) {
  const name = knownNames().get(personOf(written)) || written;
  readKept();
  // Add the name to earlier verdicts.
  for (const [key, items] of kept) {
    if (!items.some((item) => item.reviewer === name)) kept.set(key, items.map((item) => (item.reviewer ? item : { ...item, reviewer: name })));
  }
  stored.write(kept);
  past.length = 0;
  state.me = name;
  writeSetting("reviewer", name);
  showName();
  showChanged(entries);
  showList();
}

function showName() {
  find("who").textContent = state.me || "Your name";
  find("who").title = state.me ? "You review under this name; click to change it" : "Your name is stored in every verdict";
}

const isAssigned = (entry) => !batch.reviewers || Boolean(entry.for?.includes(batch.reviewers.indexOf(state.me)));

const wordsOf = ({ verdict, note, chosen }) =>
  [verdict ? ANSWERS[verdict][0] : null, chosen === true ? "chosen" : chosen === false ? "not chosen" : null].filter(Boolean).join(", ")
  + (note ? ` (${note})` : "");

/** The verdicts of others; only after this reviewer's own verdict, to keep it independent. */
function sayOthers(entry) {
  const mine = verdictOf(entry);
  const others = othersOf(entry);
  if (!others.length) return [];
  if (!isGiven(mine)) return [make("li", {}, `${counted(others.length, "other verdict")}, shown after yours`)];
  const shown = others.length && isConflict(entry) || mine.overruled ? [mine, ...others] : others;
  return shown.map((item) => {
    const settle = make("button", { type: "button", title: "Only verdicts that count decide; all are exported" }, item.overruled ? "Let it count" : "Overrule");
    settle.onclick = () => change(`${item.overruled ? "counting" : "overruling"} on id ${entry.id}`, candidatesOf(entry), () => overrule(entry, item, !item.overruled));
    const who = item === mine ? "You" : item.reviewer || "No name";
    return make("li", { className: item.overruled ? "overruled" : "" }, make("span", {}, make("b", {}, who), `: ${wordsOf(item)}`,
      item.time ? ` – ${item.time.slice(0, 16).replace("T", " ")}` : ""), settle);
  });
}

/** Let an item count or not; a choice as a whole, including its items on the other candidates. */
function overrule(entry, item, overruled) {
  const isChoice = typeof item.chosen === "boolean";
  for (const other of isChoice ? candidatesOf(entry) : [entry]) {
    const same = saidOf(other).find(({ reviewer, chosen }) => reviewer === item.reviewer && (typeof chosen === "boolean") === isChoice);
    if (same) putItem(other, { ...same, overruled });
  }
}

/** Parse JSON with every number as text, so that ids keep all digits: 9007199254740993 and 1.0 do not change. */
function parseWithNumbersAsText(text) {
  JSON.parse(text); // throws if it is not JSON
  return JSON.parse(text.replace(/"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token[0] === '"' ? token : `"${token}"`)));
}

/** Whether a verdict is about another motion, clip or description; unknown parts match everything. */
function isAboutOther(content, entry) {
  if (!content || typeof content !== "object") return false;
  return ["motion", "clip", "text"].some((part) => content[part] && entry.content[part] && content[part] !== entry.content[part]);
}

/**
 * The reviewer of the items of a file without a name: the file, because every browser saves verdicts.json. A second file
 * of that name is another reviewer, unless it has all earlier items, one of them unchanged and the others unchanged or later.
 * Without a name, they are the reviewer's own if the reviewer gave no name either.
 */
function namelessReviewer(fileName, items) {
  if (!state.me) return "";
  const same = (item, other) => ["verdict", "chosen", "time"].every((part) => (item[part] ?? null) === (other[part] ?? null));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? fileName : `${fileName} (${number})`;
    const before = entries.flatMap((entry) => saidOf(entry).filter((item) => item.reviewer === name && isGiven(item)).map((item) => [item, items.get(entry)]));
    const repeated = before.filter(([item, other]) => other && same(item, other)).length;
    const later = before.filter(([item, other]) => other && isLater(other, item)).length;
    if (!before.length || (repeated && repeated + later === before.length)) return name;
  }
}

const nameIn = ({ reviewer }) => (typeof reviewer === "string" ? reviewer.trim() : "");

/** An item of a verdict file; `nameless` is the reviewer of those without a name. */
function itemFrom({ matches, analysis, reviewer, time, chosen, overruled, usable }, nameless, known) {
  const name = nameIn({ reviewer });
  if (name && !known.has(personOf(name))) known.set(personOf(name), name);
  return {
    reviewer: name ? known.get(personOf(name)) : nameless,
    verdict: matches === true ? "match" : matches === false ? "mismatch" : chosen === false ? null : "unsure",
    note: typeof analysis === "string" ? analysis : "",
    time: isAhead(timeFrom(time)) ? null : timeFrom(time),
    chosen: typeof chosen === "boolean" ? chosen : undefined,
    overruled: overruled === true,
    usable: typeof usable === "boolean" ? usable : undefined,
  };
}

/** A time of a verdict file, in UTC as commands read it (without a zone it is UTC; or since 1970); null where it is none. */
function timeFrom(text) {
  // Seconds or milliseconds since 1970; numbers are texts here.
  const [since, thousands] = (typeof text === "string" && text.match(/^[1-9]\d{9}(\d{3})?(?:\.\d{1,9})?$/)) || [];
  if (since) return new Date(Number(since) * (thousands ? 1 : 1000)).toISOString();
  const [found, zone] = (typeof text === "string" && text.match(/^\d{4}-\d\d-\d\d(?:[T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/)) || [];
  const time = new Date(found ? found.replace(" ", "T") + (found.length > 10 && !zone ? "Z" : "") : NaN);
  return time.getUTCFullYear() > 0 && time.getUTCFullYear() < 10000 ? time.toISOString() : null;
}

/** Whether a time is in the future by more than clocks differ; it counts as none, so that it does not precede others. */
const isAhead = (time) => Boolean(time) && Date.parse(time) > Date.now() + 600_000;

async function importVerdicts(file) {
  const ids = new Map(entries.map((entry) => [entry.id, entry]));
  const entryOf = (item) => (typeof item?.id === "string" ? ids.get(item.id) : undefined); // numbers are texts here, too
  let items;
  try {
    items = parseWithNumbersAsText(await file.text());
    if (!Array.isArray(items)) throw new Error("it contains no list");
  } catch (error) {
    return tell(`${file.name} cannot be read: ${error.message}.`);
  }
  const isVerdict = (item) => [true, false, null].includes(item.matches) || (item.matches === undefined && item.chosen === false);
  const usable = items.filter((item) => entryOf(item) && isVerdict(item));
  const current = usable.filter((item) => !isAboutOther(item.content, entryOf(item)));
  const known = knownNames();
  const withoutName = current.filter((item) => !nameIn(item));
  const nameless = namelessReviewer(file.name, new Map(withoutName.map((item) => [entryOf(item), itemFrom(item, "", known)])));
  const found = current.map((item) => ({ entry: entryOf(item), theirs: itemFrom(item, nameless, known) }));
  const ahead = current.filter((item) => isAhead(timeFrom(item.time))).length;
  const imported = new Set(found.map(({ entry, theirs }) => `${entry.key} ${theirs.reviewer}`));
  const conflicts = [];
  const changed = [...new Set(found.map(({ entry }) => entry))];
  if (changed.length) {
    change(`import of ${file.name}`, changed, () => {
      for (const { entry, theirs } of found) if (!takeIn(entry, theirs)) conflicts.push({ entry, theirs, mine: saidOf(entry).find((item) => item.reviewer === theirs.reviewer) });
    });
  }
  for (const entry of changed) {
    const mine = verdictOf(entry);
    if (isConflict(entry) && !mine.overruled) conflicts.push(...othersOf(entry).filter((theirs) => opposes(mine, theirs)
      && imported.has(`${entry.key} ${theirs.reviewer}`)).map((theirs) => ({ entry, mine, theirs })));
  }
  const other = usable.length - current.length;
  const unknown = items.length - usable.length;
  const taken = current.length - conflicts.filter(({ mine, theirs }) => mine.reviewer === theirs.reviewer).length;
  tell(`${taken} of ${counted(items.length, "verdict")} of ${file.name} imported.${other ? ` ${other} refused: they are about another motion, clip or description.` : ""}`
    + `${unknown ? ` ${unknown} left out: no entry of this page, or no verdict.` : ""}`
    + `${ahead ? ` ${ahead} have a time in the future, which counts as none.` : ""}`
    + `${withoutName.length && nameless && nameless !== file.name ? ` Those without a name count as those of ${nameless}.` : ""}`
    + `${conflicts.length ? ` ${conflicts.length} differ from yours.` : ""}`);
  if (conflicts.length) showConflicts(conflicts);
}

/** Whether the reviewer must decide between two items; for two choices in one group, asked only once. */
function opposes(mine, theirs) {
  if (theirs.overruled || !contradict([mine, theirs])) return false;
  return mine.chosen !== false || contradict([{ ...mine, chosen: undefined }, theirs]);
}

/** Add an imported verdict to those of others; of one reviewer, keep the later one. Returns false if that is unknown. */
function takeIn(entry, theirs) {
  const before = saidOf(entry).find((item) => item.reviewer === theirs.reviewer);
  if (before && isGiven(before)) {
    const same = before.verdict === theirs.verdict && before.chosen === theirs.chosen;
    const noteDiffers = Boolean(before.note && theirs.note) && before.note !== theirs.note;
    if (isLater(before, theirs)) return true;
    if (!isLater(theirs, before) && (!same || noteDiffers)) return false;
    if (same) theirs = { ...theirs, overruled: theirs.overruled || (before.overruled && !isLater(theirs, before)), note: theirs.note || before.note, time: theirs.time || before.time };
  }
  putItem(entry, { ...theirs, note: theirs.note || before?.note || "" });
  return true;
}

/** Let the reviewer choose between an imported verdict and a contradicting own one. Both are already stored, so nothing is lost. */
function showConflicts(conflicts) {
  const options = (same) => [same ? null : ["both", "keep both"], ["mine", "keep mine"], ["theirs", "take theirs"]].filter(Boolean);
  const selects = conflicts.map(({ entry, mine, theirs }) => {
    const select = make("select", {}, ...options(mine.reviewer === theirs.reviewer).map(([value, label]) => make("option", { value }, label)));
    select.setAttribute("aria-label", `Decision on id ${entry.id}`);
    return select;
  });
  const sides = ({ mine, theirs }) => [mine.reviewer === state.me ? "yours" : mine.reviewer || "earlier", mine.reviewer === theirs.reviewer ? "imported" : theirs.reviewer || "imported"];
  find("differing").replaceChildren(...conflicts.map((conflict, number) => {
    const [own, other] = sides(conflict);
    return make("li", {}, make("span", {}, `id ${conflict.entry.id}: ${own} ${wordsOf(conflict.mine)}, ${other} ${wordsOf(conflict.theirs)}`), selects[number]);
  }));
  for (const button of document.querySelectorAll("#setall button")) {
    button.onclick = () => selects.forEach((select) => { if ([...select.options].some(({ value }) => value === button.value)) select.value = button.value; });
  }
  find("conflicts").returnValue = "";
  find("conflicts").onclose = () => {
    if (find("conflicts").returnValue !== "apply") return tellLater(conflicts);
    const decided = conflicts.map((conflict, number) => ({ ...conflict, choice: selects[number].value })).filter(({ mine, theirs, choice }) => choice === "theirs" || (choice === "mine" && mine.reviewer !== theirs.reviewer));
    if (decided.length) change("decisions on imported verdicts", decided.flatMap(({ entry }) => candidatesOf(entry)), () => decided.forEach(settleConflict));
    tell(`${decided.filter(({ choice }) => choice === "theirs").length} of ${conflicts.length} decided for the imported verdict, ${decided.filter(({ choice }) => choice === "mine").length} for yours; the others did not change.`);
  };
  find("conflicts").showModal();
}

/** Say what is lost without a decision: a reviewer has one verdict on an entry. */
function tellLater(conflicts) {
  const left = conflicts.filter(({ mine, theirs }) => mine.reviewer === theirs.reviewer).length;
  if (left) tell(`${left} imported left out: the same reviewer said something else here. Import the file again to decide.`);
}

/** The rejected verdict is kept as overruled; an own verdict of another time is replaced. */
function settleConflict({ entry, mine, theirs, choice }) {
  if (mine.reviewer === theirs.reviewer) putItem(entry, theirs);
  else overrule(entry, choice === "theirs" ? mine : theirs, true);
}
