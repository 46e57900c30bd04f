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
  } catch { /* the setting lasts until the page closes */ }
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
  i: () => markTrim("start"),
  o: () => markTrim("end"),
  w: () => player?.details.worst && player.seek(player.details.worst[0]),
  "/": () => find("search").focus(),
  e: exportVerdicts,
  c: toggleCompare,
  1: () => choose(0),
  2: () => choose(1),
  3: () => choose(2),
  4: () => choose(3),
  "?": () => find("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  const { target } = event;
  const writes = target.matches("textarea, input[type=search], select");
  if (document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z" && !writes) {
    event.preventDefault();
    return undo();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && writes) {
    target.blur();
    find("entry").focus();
  }
  if (writes || (event.key === " " && target.matches("button, summary, input[type=checkbox], input[type=file]"))) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  // A key that is held down steps on; it gives no verdict on one entry after the other.
  if (!event.repeat || ["j", "k", "ArrowLeft", "ArrowRight"].includes(event.key)) action();
});

function start() {
  entries.forEach((entry, place) => {
    entry.place = place;
    if (entry.group) groups.set(entry.group, [...(groups.get(entry.group) || []), entry]);
  });
  state.me = readSetting("reviewer") || "";
  const theme = readSetting("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  readKept();
  find("said").textContent = [counted(entries.length, "entry", "entries"), batch.said].filter(Boolean).join(", ");
  if (batch.agreement) {
    find("agreement").hidden = false;
    find("agreement").querySelector("ul").replaceChildren(...batch.agreement.map((line) => make("li", {}, line)));
  }
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
  find("undo").onclick = undo;
  find("who").onclick = showNameDialog;
  find("naming").onclose = () => {
    const name = find("name").value.trim();
    if (find("naming").returnValue === "save" && name !== state.me) setName(name);
  };
  showName();
  find("keys").onclick = () => find("help").showModal();
  find("theme").onclick = toggleTheme;
  const keyInAddress = () => decoded(location.hash.slice(1));
  window.addEventListener("hashchange", () => {
    const key = keyInAddress();
    if (!key) close();
    else if (key !== state.open || !document.body.classList.contains("reading")) show(key);
  });
  window.addEventListener("storage", (event) => { if (event.key === storageKey) { readKept(); showChanged(entries); } });
  const wide = matchMedia("(min-width: 801px)").matches;
  if (byKey.has(keyInAddress())) show(keyInAddress());
  else if (wide && state.shown.length) show(state.shown[0].key);
}

start();
