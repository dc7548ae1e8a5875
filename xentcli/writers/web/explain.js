"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const sum = (values) => values.reduce((a, b) => a + b, 0);
const number = (text) => (String(text).trim() === "" ? NaN : Number(String(text).replace(/inf(inity)?\s*$/i, "Infinity")));

const { terms, clip, unit, logsumexp } = read("result"), page = read("constants");
const column = (name) => terms.map((term) => number(term[name]));
// By class: q, its natural logarithm after --clip, the target y, and the logits z or null.
const state = { q: column("q"), ln: column("ln_q"), y: column("y"), z: logsumexp === null ? null : column("score") };
// Where a slider starts: moved to its end and back it changes nothing.
let held = state.q;

const clipped = (q) => (clip === null ? q : Math.min(Math.max(q, clip), 1 - clip));

// Logarithms of the softmax: where a q underflows to 0 its logarithm does not.
function logarithms(z) {
  const top = Math.max(...z), first = z.indexOf(top);
  const rest = Math.log1p(sum(z.map((value, c) => (c === first ? 0 : Math.exp(value - top)))));
  return z.map((value) => value - top - rest);
}
function predict(values, z = null) {
  const q = values.map((value) => Math.max(value, 0));
  const ln = z && clip === null ? logarithms(z) : q.map((value) => Math.log(clipped(value)));
  change({ q, ln, z });
}
function change(values) {
  one("#fault").textContent = "";
  Object.assign(state, values);
  show();
}
// Class c gets q; the others keep their proportions.
function moved(c, q) {
  const others = sum(held.filter((_, d) => d !== c));
  return held.map((old, d) => (d === c ? q : others > 0 ? (old * (1 - q)) / others : (1 - q) / (held.length - 1)));
}
// All that the true class leaves goes to the least likely of the others.
function split(q, truth) {
  const least = Math.min(...q.filter((_, c) => c !== truth)), taker = q.findIndex((value, c) => c !== truth && value === least);
  return q.map((value, c) => (c === truth ? value : c === taker ? Number((1 - q[truth]).toFixed(12)) : 0));
}

// Numbers as xent writes them: with so many decimals, or so many digits.
function fixed(value, places) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value !== 0 && (Math.abs(value) < 10 ** (1 - places) || Math.abs(value) >= 1e9)) return short(value, 4);
  return (value + 0).toFixed(places).replace(/\B(?<!\..*)(?=(\d{3})+\b)/g, ",");
}
function short(value, digits = 6) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : value > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
// The term of the true class, with as many digits of q as give the loss; none where q underflows.
function single(q, loss) {
  const gives = (digits) => fixed(-Math.log(Number(q.toPrecision(digits))) / page.nats, 6) === loss;
  const digits = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17].find(gives);
  return digits ? ` = -${page.log}(${short(q, digits)})` : "";
}

function figures() {
  const { q, ln, y, z } = state, truth = y.indexOf(1), soft = truth < 0;
  const logs = ln.map((value) => value / page.nats), products = logs.map((value, c) => (y[c] === 0 ? 0 : y[c] * value));
  const loss = -sum(products) + 0, nats = loss * page.nats, top = z && Math.max(...z);
  const entropy = -sum(y.map((value) => (value === 0 ? 0 : value * Math.log(value)))) / page.nats + 0;
  const splits = !soft && q.length > 2 && q[truth] < 1 && (q[truth] > 0 || loss === Infinity);
  const losses = [nats, ...page.others.map((other) => -Math.log(other))], p = soft ? 0 : clipped(q[truth]);
  return { q, y, z, truth, soft, logs, products, loss, nats, top, entropy, losses, p, other: splits ? split(q, truth) : null };
}
const cells = ({ q, y, z, logs, products, soft, top, other }) => ({
  q: q.map((value) => short(value)),
  y: y.map((value) => short(value)),
  clipped: q.map((value) => short(clipped(value))),
  log: logs.map((value) => fixed(value, soft ? 6 : 4)),
  term: products.map((value) => (value === 0 ? "0" : fixed(value, soft ? 5 : 4))),
  z: z && z.map((value) => fixed(value, 6)),
  exp: z && z.map((value) => fixed(Math.exp(value - top), 6)),
  split: other && other.map((value) => short(value)),
});
function words({ q, y, z, truth, soft, loss, nats, top, entropy, losses, p }) {
  const raised = soft || p === q[truth] ? "" : `, with q = ${short(q[truth])} clipped`;
  const guess = Math.log(q.length), worse = Math.abs(nats - guess) <= 1e-12 * guess ? 0 : Math.sign(nats - guess);
  return {
    loss: fixed(loss, 6),
    sum: fixed(-loss + 0, 4),
    largest: z && short(top),
    total: z && fixed(sum(z.map((value) => Math.exp(value - top))), 6),
    name: soft ? "" : one(`#name${truth}`).textContent,
    spread: y.filter((value) => value !== 0).length,
    truth: soft ? "(above)" : short(q[truth]),
    point: short(p),
    formula: `loss = -sum${soft ? "" : single(p, fixed(loss, 6))} = ${fixed(loss, 6)} ${unit}${raised}`,
    entropy: fixed(entropy, 6),
    divergence: fixed(loss - entropy, 6),
    perplexity: short(Math.exp(nats)),
    verdict: `${["better", "no better and no worse", "worse"][worse + 1]} than guessing`,
    average: fixed(sum(losses) / losses.length / page.nats, 6),
  };
}
// The lines that compute the same without this page.
function commands({ q, y, z, truth, soft, losses, p, other }) {
  const target = soft ? `--target ${y}` : `--label ${truth}`;
  const command = `xent explain ${z ? `--logits ${z}` : `--probs ${q}`} ${target}${page.options}${z ? "" : page.tolerance}`;
  const points = [p, ...page.halved].filter((value) => value > 0);
  return {
    command,
    bars: `${command} --format csv`,
    curve: `python3 -c "import math; [print(q, 0 - ${page.python}(q)) for q in (${points})]"`,
    split: `xent explain --probs ${other} ${target}${page.options}${page.tolerance}`,
    average: `printf '%s\\n' loss ${losses.join(" ")} | xent score - --kind losses${page.base} --quiet`,
  };
}

function show() {
  const shown = figures(), text = { ...words(shown), ...cells(shown) }, lines = commands(shown);
  const holds = { hard: !shown.soft, soft: shown.soft, logits: shown.z, split: shown.other, given: false, changed: true };
  for (const cell of all("[data-out]")) {
    const [name, c] = cell.dataset.out.split(" "), value = text[name];
    if (value !== null) cell.textContent = c ? value[c] : value;
  }
  for (const line of all("[data-command]")) line.textContent = lines[line.dataset.command].replaceAll("Infinity", "inf");
  for (const part of all("[data-for]")) part.hidden = !holds[part.dataset.for];
  for (const row of all("[data-row]")) row.className = Number(row.dataset.row) === shown.truth ? "truth true" : "";
  for (const bar of all("[data-bar]")) bar.setAttribute("width", 200 * Math.min(shown.q[bar.dataset.bar], 1));
  const [width, height, most] = page.curve;
  one("#point").setAttribute("cx", width * Math.min(shown.p, 1));
  one("#point").setAttribute("cy", height * (1 - Math.min(shown.nats, most) / most));
  controls(shown);
}
// What is typed stays while it is typed.
function controls({ q, y, z, truth }) {
  const set = (input, value) => input.type !== "range" && input === document.activeElement || (input.value = value);
  const list = { probabilities: q, logits: z || [], targets: truth < 0 ? y : [] };
  for (const slider of all("[data-slide]")) set(slider, q[slider.dataset.slide]);
  for (const box of all("[data-type]")) set(box, short(q[box.dataset.type]));
  for (const box of all("[data-list]")) set(box, list[box.dataset.list].map((value) => short(value)).join(","));
  for (const radio of all("[name=truth]")) radio.checked = Number(radio.value) === truth;
}

const lists = {
  probabilities: (q) => predict(q),
  logits: (z) => predict(logarithms(z).map(Math.exp), z),
  targets: (y) => change({ y }),
};
// What is wrong with numbers that were typed; empty where nothing is.
function fault(values, name) {
  const few = values.length !== state.q.length || values.some((value) => Number.isNaN(value) || value === Infinity);
  if (few || Math.max(...values) === -Infinity) return `${state.q.length} ${name} with commas between them are expected.`;
  const share = values.every((value) => value >= 0 && value <= 1) && Math.abs(sum(values) - 1) <= 0.001;
  return name === "logits" || share ? "" : `These ${name} sum to ${short(sum(values))}: each is from 0 to 1, and their sum is 1.`;
}
function on(selector, event, listen) {
  for (const input of all(selector)) input.addEventListener(event, () => listen(input));
}
on("[data-slide]", "input", (slider) => predict(moved(Number(slider.dataset.slide), Number(slider.value))));
on("[data-slide]", "change", () => (held = state.q));
on("[data-type]", "change", (box) => {
  if (!(box.valueAsNumber >= 0 && box.valueAsNumber <= 1)) return (one("#fault").textContent = "A probability is a number from 0 to 1.");
  predict(moved(Number(box.dataset.type), box.valueAsNumber));
  held = state.q;
});
on("[data-list]", "change", (box) => {
  const values = box.value.split(",").map(number), wrong = fault(values, box.dataset.list);
  if (wrong) return (one("#fault").textContent = wrong);
  lists[box.dataset.list](values);
  held = state.q;
});
on("[name=truth]", "change", (radio) => change({ y: state.q.map((_, c) => (c === Number(radio.value) ? 1 : 0)) }));
on("#again", "click", () => location.reload());
one("#play").addEventListener("submit", (event) => event.preventDefault());
one("#play").hidden = false;
controls(figures());
