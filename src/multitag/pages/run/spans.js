// Texts with their gold and predicted spans; `payload` is what spans.py gives.
const { element } = tools;
const colours = new Map(payload.labels.map((label, k) => [label, `var(--s${k % 8})`]));
const layer = (parts) => element("div", { class: "layer" }, ...parts.map(([words, label]) => (label === null
  ? words
  : element("mark", { "data-label": label, title: label, style: `--mark: ${colours.get(label)}` }, words))));
const side = (name, layers) => element("div", { class: "side", "data-side": name },
  element("span", {}, name), element("div", {}, ...layers.map(layer)));

const [bar, list, more] = [root.querySelector(".bar"), root.querySelector("[data-texts]"), root.querySelector(".more")];
const state = { label: "", kind: "", limit: 20 };
const choose = (name, key, options) => bar.append(element("label", {}, `${name} `, element("select", {
  "aria-label": name, onchange: (event) => { state[key] = event.target.value; state.limit = 20; draw(); },
}, ...options.map(([value, words]) => element("option", { value }, words)))));
choose("Label", "label", [["", "all"], ...payload.labels.map((label) => [label, label])]);
choose("Texts", "kind", [["", "all"], ["wrong", "with errors"], ["right", "wholly right"]]);
const count = element("span", { class: "count", "aria-live": "polite" });
bar.append(count);

const draw = () => {
  const found = payload.texts.filter((text) => (!state.label || text.labels.includes(state.label)) &&
    (!state.kind || (text.wrong > 0) === (state.kind === "wrong")));
  list.replaceChildren(...found.slice(0, state.limit).map((text) => element("article", {},
    element("header", {}, element("span", {}, text.id), element("span", {}, `${tools.share(text.wrong, 0)} wrong`)),
    side("gold", text.gold), side("predicted", text.predicted))));
  count.textContent = `${found.length} of ${payload.texts.length} texts`;
  more.replaceChildren();
  if (found.length > state.limit) {
    more.append(element("button", { type: "button", onclick: () => { state.limit += 50; draw(); } }, "Show more"));
  }
};
draw();
