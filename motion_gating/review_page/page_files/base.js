"use strict";
// Data and state, and what every part uses.
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
const REVIEWED = [
  ["none", "no verdict yet", "nobody gave a verdict"],
  ["given", "with your verdict"],
  ["differs", "you and the judge differ"],
  ["mine", "yours to review", "assigned to you"],
  ["missing", "yours missing", "to be reviewed by you, without your verdict"],
  ["conflicts", "conflicts", "reviewers contradict each other, by verdict or by choice"],
];

const state = { me: "", group: null, reviewed: null, words: "", sort: "order", ascending: true, shown: [], first: 0, open: null };
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

/** Save a text as a file of the reviewer. */
function save(name, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function tell(text) {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}
