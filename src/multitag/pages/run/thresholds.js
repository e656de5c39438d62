// Decides anew under the thresholds of the sliders, and scores: the command's own rules, on the same answers.
// `root` holds thresholds.html; `payload` is what threshold_grid.py and thresholds.py give. No rounding anywhere: a
// level says which of the thousand thresholds a probability reaches.
const { steps, rows, labels } = payload.grid;
const K = labels.length;
const cells = rows * K;
const NEVER = -1;

const bytes = (text) => {
  const raw = atob(text);
  const found = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) found[i] = raw.charCodeAt(i);
  return found;
};
const bits = (text) => {
  const packed = bytes(text);
  const found = new Uint8Array(cells);
  for (let i = 0; i < cells; i += 1) found[i] = (packed[i >> 3] >> (7 - (i & 7))) & 1;
  return found;
};
const levels = new Int16Array(bytes(payload.grid.levels).buffer);
const likeliest = new Int32Array(bytes(payload.grid.likeliest).buffer);
const positive = bits(payload.grid.positive);
const known = bits(payload.grid.known);
const asRun = bits(payload.grid.predicted);

// Label sets under a threshold for each label, in steps.
const chosen = new Uint8Array(cells);
const decide = (thresholds, neverEmpty) => {
  for (let row = 0, i = 0; row < rows; row += 1) {
    let any = 0;
    for (let k = 0; k < K; k += 1, i += 1) any |= chosen[i] = levels[i] !== NEVER && levels[i] >= thresholds[k] ? 1 : 0;
    if (neverEmpty && !any) chosen[i - K + likeliest[row]] = 1;
  }
  return chosen;
};

// Quotients as the metrics have them: nothing asked and nothing said is full agreement.
const part = (above, below) => (below === 0 ? 1 : above / below);
const mean = (sum, count) => (count === 0 ? null : sum / count);

const score = (taken) => {
  const each = labels.map(() => ({ known: 0, positive: 0, predicted: 0, hits: 0 }));
  const sums = { f1: 0, precision: 0, recall: 0, whole: 0, right: 0, rows: 0 };
  for (let row = 0, i = 0; row < rows; row += 1) {
    let [there, gold, said, hits, right] = [0, 0, 0, 0, 0];
    for (let k = 0; k < K; k += 1, i += 1) {
      if (!known[i]) continue;
      const [p, t, line] = [positive[i], taken[i], each[k]];
      there += 1; gold += p; said += t; hits += p & t; right += p === t ? 1 : 0;
      line.known += 1; line.positive += p; line.predicted += t; line.hits += p & t;
    }
    if (!there) continue;
    sums.rows += 1; sums.right += right; sums.whole += right === there ? 1 : 0;
    sums.f1 += part(2 * hits, gold + said); sums.precision += part(hits, said); sums.recall += part(hits, gold);
  }
  const total = { known: 0, positive: 0, predicted: 0, hits: 0 };
  const macro = { f1: 0, precision: 0, recall: 0, labels: 0, weighted: 0 };
  for (const line of each) {
    line.precision = part(line.hits, line.predicted);
    line.recall = part(line.hits, line.positive);
    line.f1 = part(2 * line.hits, line.positive + line.predicted);
    for (const name of Object.keys(total)) total[name] += line[name];
    macro.weighted += line.f1 * line.positive;
    if (!line.known) continue;
    macro.labels += 1; macro.f1 += line.f1; macro.precision += line.precision; macro.recall += line.recall;
  }
  const micro = (above, below) => (total.known ? part(above, below) : null);
  const metrics = {
    samples_f1: mean(sums.f1, sums.rows),
    samples_precision: mean(sums.precision, sums.rows),
    samples_recall: mean(sums.recall, sums.rows),
    micro_f1: micro(2 * total.hits, total.positive + total.predicted),
    micro_precision: micro(total.hits, total.predicted),
    micro_recall: micro(total.hits, total.positive),
    macro_f1: mean(macro.f1, macro.labels),
    macro_precision: mean(macro.precision, macro.labels),
    macro_recall: mean(macro.recall, macro.labels),
    weighted_f1: total.positive ? macro.weighted / total.positive : mean(macro.f1, macro.labels),
    label_accuracy: mean(sums.right, total.known),
    subset_accuracy: mean(sums.whole, sums.rows),
  };
  return { metrics, each };
};

// What is shown.
const { element } = tools;
const find = (name) => root.querySelector(`[data-${name}]`);
const shown = (step) => (step / steps).toFixed(3);
const digits = (value, count) => (value === null || value === undefined ? "" : value.toFixed(count));
const before = score(asRun);
let thresholds = [...payload.start];
let untouched = true;

const metricRows = payload.metrics.map(({ name, value, greater }) => {
  const moves = name in before.metrics;
  const was = moves ? before.metrics[name] : value;
  const [now, change] = [element("td", { class: "number", "data-now": name }), element("td", { class: "number" })];
  root.querySelector("[data-metrics] tbody").append(element("tr", { class: moves ? null : "fixed" },
    element("td", {}, name), element("td", { class: "number" }, digits(was, 4)), now, change));
  return (metrics) => {
    const value = moves ? metrics[name] : was;
    now.textContent = digits(value, 4);
    now.dataset.value = value;
    const gap = moves && value !== null ? value - was : 0;
    const visible = Math.abs(gap) >= 0.00005;
    change.textContent = !moves ? "the same" : visible ? (gap > 0 ? "+" : "−") + Math.abs(gap).toFixed(4) : "";
    change.className = "number" + (visible ? (gap > 0 === greater ? " better" : " worse") : "");
  };
});

const set = (k, step) => { thresholds[k] = Math.max(0, Math.min(steps, step)); };
const change = (act) => { act(); untouched = false; later(); };
const sliders = (label, onStep) => {
  const slide = element("input", { type: "range", min: 0, max: steps, step: 1, "aria-label": label,
    oninput: () => onStep(Number(slide.value)) });
  const number = element("input", { type: "number", min: 0, max: 1, step: 1 / steps, "aria-label": label,
    onchange: () => onStep(Math.round(Number(number.value) * steps)) });
  return [slide, number];
};
const labelRows = labels.map((label, k) => {
  const seen = k < payload.start.length;
  const inputs = seen ? sliders(`Threshold of ${label}`, (step) => change(() => set(k, step))) : ["never seen in training"];
  const numbers = ["positive", "predicted", "precision", "recall", "f1"].map((name) =>
    [name, element("td", { class: "number", [`data-${name}`]: label })]);
  root.querySelector("[data-labels] tbody").append(element("tr", {}, element("td", { class: "text" }, label),
    element("td", { class: "slide" }, element("div", {}, ...inputs)), ...numbers.map(([, cell]) => cell)));
  return (line) => {
    if (seen) { inputs[0].value = thresholds[k]; inputs[1].value = shown(thresholds[k]); }
    for (const [name, cell] of numbers) {
      const whole = name === "positive" || name === "predicted";
      cell.textContent = whole ? tools.number(line[name], 0) : digits(line[name], 3);
      cell.dataset.value = line[name];
    }
  };
});

const [common, commonNumber, neverEmpty] = [find("common"), find("common-number"), find("never-empty")];
common.max = steps;
commonNumber.step = 1 / steps;
const all = (step) => change(() => payload.start.forEach((_, k) => set(k, step)));
common.addEventListener("input", () => all(Number(common.value)));
commonNumber.addEventListener("change", () => all(Math.round(Number(commonNumber.value) * steps)));
neverEmpty.addEventListener("change", () => change(() => {}));
find("reset").addEventListener("click", () => {
  [thresholds, untouched, neverEmpty.checked] = [[...payload.start], true, payload.grid.never_empty];
  draw();
});

const told = () => {
  const same = thresholds.every((step) => step === thresholds[0]);
  const rule = neverEmpty.checked ? "every row gets a label" : "a row may have no label";
  if (untouched) return `As the run decided (${payload.decision}; ${payload.grid.never_empty ? "every row gets a label" : "a row may have no label"}).`;
  return same ? `Every label whose probability reaches ${shown(thresholds[0])}; ${rule}.` : `Each label by its own threshold; ${rule}.`;
};
const draw = () => {
  const { metrics, each } = untouched ? before : score(decide(thresholds, neverEmpty.checked));
  metricRows.forEach((fill) => fill(metrics));
  labelRows.forEach((fill, k) => fill(each[k]));
  const same = thresholds.length > 0 && thresholds.every((step) => step === thresholds[0]);
  if (same) common.value = thresholds[0];
  commonNumber.value = same ? shown(thresholds[0]) : "";
  find("state").textContent = told();
  const command = !untouched && same && payload.command;
  find("command").hidden = find("command-note").hidden = !command;
  if (command) {
    find("command").textContent = `${payload.command} --decision global_threshold --option threshold=${shown(thresholds[0])} ` +
      `--option never_empty=${neverEmpty.checked ? "yes" : "no"}`;
  }
  root.dataset.drawn = untouched ? "run" : `${thresholds.join(",")};${neverEmpty.checked}`;
};
let waiting = false;
const later = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
};
neverEmpty.checked = payload.grid.never_empty;
draw();
