"use strict";
// Data, state, and helpers of all parts.
// All data of the batch is inserted as text (textContent), never as markup.

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
  ["undecided", "undecided", "no decision: the reviewer or the judge was unsure, or nobody has judged it"],
  ["failed", "failed", "figures or the verdict are missing because of an error"],
];
const ANSWERS = { match: ["match", "✓", "m", true], mismatch: ["no match", "✗", "x", false], unsure: ["unsure", "?", "u", null] };
const REVIEWED = [
  ["none", "no verdict yet", "nobody has given a verdict"],
  ["given", "with your verdict"],
  ["differs", "you and the judge differ"],
  ["mine", "yours to review", "assigned to you"],
  ["missing", "yours missing", "assigned to you, without your verdict"],
  ["conflicts", "conflicts", "reviewers contradict each other, by verdict or by choice"],
];

const state = { me: "", group: null, reviewed: null, words: "", sort: "order", ascending: true, shown: [], first: 0, open: null };
// The list shows this many rows; a browser can store a hundred thousand entries, but not show that many rows.
const BLOCK = 1000;

/** A text with its control characters as escapes: those of direction could show a sentence in another order. */
const visible = (text) => text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
  (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  const given = children.filter((child) => child !== null && child !== undefined);
  node.append(...given.map((child) => (typeof child === "string" ? visible(child) : child)));
  return node;
}

function draw(tag, attributes = {}, text = null) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = visible(text);
  return node;
}

/** The text that a part of an address stands for; the part itself where it is no valid one. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;
const short = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(3))));

/** Save a text as a file on the reviewer's machine. */
function save(name, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const warnings = new Map(); // what stays in the notice

function tell(text) {
  find("notice").textContent = visible([text, ...warnings.values()].filter(Boolean).join(" "));
  find("notice").hidden = !text && !warnings.size;
}

/** What this browser keeps for the page under one name: a value for each key of an entry. */
class Stored {
  /**
   * repair: a value as it is now used, from one that may be of an older page or broken; undefined where it is useless.
   * what: is kept, in words.
   */
  constructor(name, repair, what) {
    Object.assign(this, { name, repair, what, unwritten: null });
  }

  /** All values by key; those that the browser did not take are still known to this window. */
  read() {
    if (this.unwritten) return new Map(this.unwritten);
    let text = null;
    try {
      text = localStorage.getItem(this.name);
      const values = JSON.parse(text ?? "{}");
      if (typeof values !== "object" || values === null || Array.isArray(values)) throw new Error("no object");
      const repaired = Object.entries(values).map(([key, value]) => [key, this.repair(value)]);
      const usable = repaired.filter(([, value]) => value !== undefined);
      if (usable.length < repaired.length) this.setAside(text);
      return new Map(usable);
    } catch {
      if (text !== null) this.setAside(text);
      return new Map();
    }
  }

  write(values) {
    try {
      localStorage.setItem(this.name, JSON.stringify(Object.fromEntries(values)));
      this.unwritten = null;
      warnings.delete(this.name);
    } catch {
      this.unwritten = new Map(values);
      this.warn(this.name, `This browser does not let the page keep ${this.what}. Export them before you close it.`);
    }
  }

  /** Nothing is overwritten that cannot be read. */
  setAside(text) {
    try {
      localStorage.setItem(`${this.name} unread`, text);
    } catch { /* there is no room */ }
    this.warn(`${this.name} unread`, `Some ${this.what} that this browser kept cannot be read. They stay in its storage as "${this.name} unread".`);
  }

  warn(name, text) {
    warnings.set(name, text);
    tell("");
  }
}
