// One group of blocks out of several: buttons for a few, a list for many.
multitag.choice = (block) => {
  const options = [...block.querySelectorAll(":scope > .option")];
  const place = block.querySelector(":scope > .choose");
  const names = options.map((option) => option.dataset.option);
  let buttons = [];
  const show = (chosen) => {
    options.forEach((option, i) => { option.hidden = i !== chosen; });
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === chosen)));
  };
  if (names.length <= 24) {
    buttons = names.map((name, i) => multitag.element("button", { type: "button", onclick: () => show(i) }, name));
    place.append(...buttons);
  } else {
    const select = multitag.element("select", { "aria-label": block.dataset.name, onchange: () => show(select.selectedIndex) },
      ...names.map((name) => multitag.element("option", {}, name)));
    place.append(select);
  }
  show(0);
};
