"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const sum = (values) => values.reduce((a, b) => a + b, 0);
const number = (text) => (text.trim() === "" ? NaN : Number(text.replace(/inf(inity)?\s*$/i, "Infinity")));

const { terms, clip, unit, logsumexp } = read("result"), page = read("constants");
const column = (name) => terms.map((term) => number(String(term[name])));
// By class: the prediction q, the target y, and the logits z or null.
let state = { q: column("q"), y: column("y"), z: logsumexp === null ? null : column("score") };
// Where a drag or typing began: what is moved away and back, or is no number in the end, changes nothing.
let held = state;

const clipped = (q) => (clip === null ? Math.max(q, 0) : Math.min(Math.max(q, clip), 1 - clip));
// Logarithms of the softmax: where a q underflows to 0 its logarithm does not.
function logarithms(z) {
  const top = Math.max(...z), first = z.indexOf(top);
  const rest = Math.log1p(sum(z.map((value, c) => (c === first ? 0 : Math.exp(value - top)))));
  return z.map((value) => value - top - rest);
}
// Class c gets q; the others keep their proportions.
function moved(c, q) {
  const others = sum(held.q.filter((_, d) => d !== c)), share = (old) => (others > 0 ? old / others : 1 / (held.q.length - 1));
  return held.q.map((old, d) => (d === c ? q : share(old) * (1 - q)));
}
// All that class t leaves goes to the least likely of the others.
function split(q, t) {
  const least = Math.min(...q.filter((_, c) => c !== t)), taker = q.findIndex((value, c) => c !== t && value === least);
  return q.map((value, c) => (c === t ? value : c === taker ? Number((1 - q[t]).toFixed(12)) : 0));
}

// Numbers as xent writes them: with so many decimals, or so many digits.
function fixed(value, places = 6) {
  if (value !== 0 && !(Math.abs(value) >= 10 ** (1 - places) && Math.abs(value) < 1e9)) return short(value, 4);
  return (value + 0).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}
function short(value, digits = 6) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
const decimals = ["log", "term", "sum", "loss", "z", "exp", "total", "entropy", "divergence", "average"];

// All that the page shows, by name; lists have a value for each class. What fills the blanks of commands is here too.
function figures({ q, y, z }) {
  const t = y.indexOf(1), hard = t >= 0, p = hard ? clipped(q[t]) : 0, top = z && Math.max(...z);
  const ln = z && clip === null ? logarithms(z) : q.map((value) => Math.log(clipped(value)));
  const log = ln.map((value) => value / page.nats), term = log.map((value, c) => y[c] && y[c] * value);
  const loss = 0 - sum(term), nats = loss * page.nats, losses = [nats, ...page.others];
  const entropy = 0 - sum(y.map((value) => value && value * Math.log(value))) / page.nats;
  const exp = z && z.map((value) => Math.exp(value - top)), guess = Math.log(q.length);
  // As many digits of q as give the loss; none do where q underflows.
  const gives = (digits) => fixed(-Math.log(p.toPrecision(digits)) / page.nats) === fixed(loss);
  const digits = hard && [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17].find(gives);
  const raised = hard && clip !== null && p !== q[t] ? `, with q = ${short(q[t])} clipped` : "";
  // The axis of the curve ends at 5, 10, 20, 50, 100 and so on; an infinite loss is drawn at its end.
  let end = 5;
  for (let step = 0; end < loss && loss < 1e300; step++) end *= [2, 2, 2.5][step % 3];
  return {
    ...{ t, hard, soft: !hard, logits: z, infinite: loss === Infinity, changed: true, end },
    ...{ q, y, z, log, exp, loss, nats, entropy, point: p, largest: top, total: z && sum(exp) },
    term: term.map((value) => value || "0"),
    sum: 0 - loss || "0",
    clipped: q.map(clipped),
    split: hard && q.length > 2 && q[t] < 1 && (q[t] > 0 || loss === Infinity) && split(q, t),
    name: hard ? all(`#name${t}`)[0].textContent : "",
    spread: y.filter((value) => value !== 0).length,
    formula: `loss = -sum${digits ? ` = -${page.log}(${short(p, digits)})` : ""} = ${fixed(loss)} ${unit}${raised}`,
    verdict: Math.abs(nats - guess) <= 1e-12 * guess ? "no better and no worse" : nats > guess ? "worse" : "better",
    truth: hard ? q[t] : "(above)",
    perplexity: Math.exp(nats),
    divergence: loss - entropy,
    average: sum(losses) / losses.length / page.nats,
    tick: [0, 1, 2, 3, 4, 5].map((part) => (end * part) / 5),
    numbers: z ? `--logits ${z}` : `--probs ${q}`,
    target: hard ? `--label ${t}` : `--target ${y}`,
    more: z ? "" : page.tolerance,
    losses: losses.join(" "),
    points: [p, ...page.halved].filter((value) => value > 0),
  };
}

function show(changes, typed) {
  state = { ...held, ...changes };
  const f = figures(state);
  for (const part of all("[data-for]")) part.hidden = !f[part.dataset.for];
  for (const part of all("[data-out]").filter((part) => !part.closest("[hidden]"))) {
    const [name, c] = part.dataset.out.split(" "), value = c ? f[name][c] : f[name];
    part.textContent = typeof value !== "number" ? value : decimals.includes(name) ? fixed(value) : short(value);
  }
  for (const line of all("[data-command]")) {
    const filled = page.commands[line.dataset.command].replace(/{(\w+)}/g, (_, name) => f[name]);
    line.textContent = filled.replaceAll("Infinity", "inf");
  }
  for (const row of all("[data-row]")) row.className = Number(row.dataset.row) === f.t ? "truth true" : "";
  for (const bar of all("[data-bar]")) bar.setAttribute("width", 200 * Math.min(f.q[bar.dataset.bar], 1));
  const at = (q, loss) => [page.width * Math.min(q, 1), page.height * (1 - Math.min(loss, f.end) / f.end)];
  const seen = page.curve.map((q) => Math.max(q, Math.exp(-f.end * page.nats)));
  for (const curve of all("#curve")) curve.setAttribute("points", seen.map((q) => at(q, -Math.log(q) / page.nats)).join(" "));
  for (const point of all("#point")) at(f.point, f.loss).forEach((place, axis) => point.setAttribute(["cx", "cy"][axis], place));
  controls(state, f.t, typed);
}
// What is typed stays as it is typed.
function controls({ q, y, z }, t, typed) {
  const lists = { probabilities: q, logits: z || [], targets: t < 0 ? y : [] };
  for (const input of all("[data-input]").filter((input) => input !== typed)) {
    const [name, c] = input.dataset.input.split(" ");
    if (name === "truth") input.checked = Number(c) === t;
    else input.value = name === "q" ? short(q[c]) : lists[name].map((value) => short(value)).join(",");
  }
}

// What an input asks for: changed values, or in words why there are none.
function asked(input) {
  const [name, c] = input.dataset.input.split(" "), values = input.value.split(",").map(number), count = held.q.length;
  if (name === "truth") return { y: held.y.map((_, d) => (d === Number(c) ? 1 : 0)) };
  const shares = values.every((value) => value >= 0 && value <= 1), total = short(sum(values));
  if (name === "q" && !(shares && values.length === 1)) return "A probability is a number from 0 to 1, such as 0.25.";
  if (name === "q") return { q: moved(Number(c), values[0]), z: null };
  const numbers = values.length === count && values.every((value) => value < Infinity) && Math.max(...values) > -Infinity;
  if (!numbers) return `${count} ${name} are expected: numbers such as 0.5, with commas between them.`;
  if (name === "logits") return { q: logarithms(values).map(Math.exp), z: values };
  if (!shares || Math.abs(total - 1) > 0.001) return `These ${name} sum to ${total}: each is from 0 to 1, and their sum is 1.`;
  return name === "targets" ? { y: values } : { q: values, z: null };
}
// Half a number changes nothing yet; of what is wrong in the end the page says why, and is as it was.
function follow(input, ended) {
  const found = asked(input), wrong = typeof found === "string";
  if (wrong && !ended) return;
  for (const line of all(".fault")) line.textContent = wrong && line.closest("form") === input.form ? found : "";
  show(wrong ? {} : found, input);
  if (ended) held = state;
}
for (const input of all("[data-input]")) {
  input.addEventListener("input", () => follow(input, false));
  input.addEventListener("change", () => follow(input, true));
}
for (const form of all("form")) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
}
all("#again")[0].addEventListener("click", () => location.reload());
controls(state, state.y.indexOf(1));
