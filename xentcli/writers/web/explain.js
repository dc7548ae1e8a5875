"use strict";
// The numbers of the page as they are changed: q and y by class, and the logits z where they were typed.
const state = JSON.parse(document.getElementById("state").textContent);
const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const sum = (values) => values.reduce((a, b) => a + b, 0);
const log = (q) => Math.log(q) / state.nats;

// The logarithms of q: of logits by log-sum-exp, since a q that underflows to 0 has no logarithm.
function logs() {
  if (!state.z) return state.q.map(log);
  const top = Math.max(...state.z), first = state.z.indexOf(top);
  // All but the largest, whose exponential is 1.
  const rest = Math.log1p(sum(state.z.map((z, c) => (c === first ? 0 : Math.exp(z - top)))));
  return state.z.map((z) => (z - top - rest) / state.nats);
}

// As the command writes numbers: six decimals, small ones with an exponent.
function fixed(value, places) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value !== 0 && (Math.abs(value) < 10 ** (1 - places) || Math.abs(value) >= 1e9)) return short(value, 4);
  return (value + 0).toFixed(places).replace(/\B(?<!\..*)(?=(\d{3})+\b)/g, ",");
}
function short(value, digits = 6) {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : value > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${power}`;
}

function loss() {
  return -sum(logs().map((ln, c) => (state.y[c] === 0 ? 0 : state.y[c] * ln))) + 0;
}
function truth() {
  return state.y.indexOf(1);
}

function write(name, texts) {
  texts.forEach((text, c) => all(`[data-${name}="${c}"]`).forEach((cell) => (cell.textContent = text)));
}
function out(name, text) {
  all(`[data-out="${name}"]`).forEach((cell) => (cell.textContent = text));
}

// The rest of the true class in equal parts: another prediction with the same loss.
function split(t) {
  const rest = (1 - state.q[t]) / (state.q.length - 1);
  return state.q.map((q, c) => short(c === t ? q : rest));
}

function show() {
  const t = truth(), value = loss(), soft = t < 0, each = logs();
  write("q", state.q.map((q) => short(q)));
  write("y", state.y.map((y) => short(y)));
  write("log", each.map((ln) => fixed(ln, 4)));
  write("term", each.map((ln, c) => (state.y[c] === 0 ? "0" : fixed(state.y[c] * ln, 4))));
  if (state.z) {
    const top = Math.max(...state.z);
    write("z", state.z.map((z) => fixed(z, 4)));
    write("e", state.z.map((z) => fixed(Math.exp(z - top), 4)));
  }
  state.q.forEach((q, c) => all(`[data-bar="${c}"]`).forEach((bar) => bar.setAttribute("width", 200 * q)));
  state.y.forEach((y, c) => all(`[data-row="${c}"]`).forEach((row) => (row.className = c === t ? "truth true" : "")));
  out("loss", fixed(value, 6));
  out("sum", fixed(-value + 0, 4));
  out("truth", soft ? "(above)" : short(state.q[t]));
  out("average", fixed(sum([value, ...state.others.map((q) => -log(q))]) / (1 + state.others.length), 6));
  const inside = soft ? "" : ` = -${state.log}(${short(state.q[t])})`;
  one("#formula").textContent = `loss = -sum${inside} = ${fixed(value, 6)} ${state.unit}`;
  all("[data-for=hard]").forEach((part) => (part.hidden = soft));
  all("[data-for=soft]").forEach((part) => (part.hidden = !soft));
  const entropy = -sum(state.y.map((y) => (y === 0 ? 0 : y * log(y)))), guess = Math.log(state.q.length);
  const worse = value * state.nats - guess;
  out("entropy", fixed(entropy + 0, 6));
  out("kl", fixed(value - entropy, 6));
  out("perplexity", short(Math.exp(value * state.nats)));
  out("verdict", `${Math.abs(worse) <= 1e-12 * guess ? "no better and no worse" : worse > 0 ? "worse" : "better"} than guessing`);
  commands(t);
  if (!soft) {
    const [width, height, most] = state.curve;
    write("split", split(t));
    one("#point").setAttribute("cx", width * state.q[t]);
    one("#point").setAttribute("cy", height * (1 - Math.min(value * state.nats, most) / most));
  }
  controls(t);
}

// The lines that compute the same without this page.
function commands(t) {
  const given = state.z ? `--logits ${state.z}` : `--probs ${state.q}`;
  const base = state.base === "e" ? "" : ` --base ${state.base}`;
  one("#command").textContent = `xent explain ${given} ${t < 0 ? `--target ${state.y}` : `--label ${t}`}${base}`;
  const python = one("#python");
  if (python && t >= 0) python.textContent = `python3 -c "import math; print(-${state.python}(${state.q[t]}))"`;
}

function controls(t) {
  const typed = document.activeElement;
  const set = (input, value) => input === typed && input.type !== "range" ? null : (input.value = value);
  state.q.forEach((q, c) => {
    set(one(`[data-slide="${c}"]`), q);
    set(one(`[data-type="${c}"]`), short(q));
  });
  set(one("#all"), state.q.map((q) => short(q)).join(","));
  set(one("#logits"), state.z ? state.z.map((z) => short(z)).join(",") : "");
  set(one("#soft"), t < 0 ? state.y.map((y) => short(y)).join(",") : "");
  all("[name=truth]").forEach((radio, c) => (radio.checked = c === t));
}

function fault(text) {
  one("#fault").textContent = text;
}

// One class gets q; the others keep their proportions.
function change(c, q) {
  if (!(q >= 0 && q <= 1)) return fault("A probability is a number from 0 to 1.");
  const rest = 1 - state.q[c], others = state.q.length - 1;
  state.q = state.q.map((old, d) => (d === c ? q : rest > 0 ? (old * (1 - q)) / rest : (1 - q) / others));
  state.z = null;
  fault("");
  show();
}

function numbers(text, what) {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.length !== state.q.length || values.some((value) => !Number.isFinite(value))) {
    fault(`${state.q.length} ${what} with commas between them are expected.`);
    return null;
  }
  return values;
}
function distribution(text, what) {
  const values = numbers(text, what);
  if (values && (values.some((value) => value < 0 || value > 1) || Math.abs(sum(values) - 1) > 0.001)) {
    fault(`These ${what} sum to ${short(sum(values))}: each is from 0 to 1, and their sum is 1.`);
    return null;
  }
  return values;
}
function take(changes) {
  fault("");
  Object.assign(state, changes);
  show();
}

all("[data-slide]").forEach((input, c) => input.addEventListener("input", () => change(c, Number(input.value))));
all("[data-type]").forEach((input, c) => input.addEventListener("change", () => change(c, input.valueAsNumber)));
all("[name=truth]").forEach((radio, c) =>
  radio.addEventListener("change", () => take({ y: state.q.map((_, d) => (d === c ? 1 : 0)) })));
one("#all").addEventListener("change", (event) => {
  const q = distribution(event.target.value, "probabilities");
  if (q) take({ q, z: null });
});
one("#soft").addEventListener("change", (event) => {
  const y = distribution(event.target.value, "targets");
  if (y) take({ y });
});
one("#logits").addEventListener("change", (event) => {
  const z = numbers(event.target.value, "logits");
  if (!z) return;
  const top = Math.max(...z), powers = z.map((value) => Math.exp(value - top));
  take({ z, q: powers.map((power) => power / sum(powers)) });
});
one("#play").addEventListener("submit", (event) => event.preventDefault());
one("#play").hidden = false;
controls(truth());
