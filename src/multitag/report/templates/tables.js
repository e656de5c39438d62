// A table to sort and filter; rows beyond those shown wait for "more".
multitag.table = (mount, { columns, rows, shown = 25 }) => {
  const { element } = multitag;
  let sorted = { column: null, down: false };
  let limit = shown;
  const wanted = columns.map(() => "");
  let search = "";

  const words = (cell) => {
    if (cell === null || cell === undefined) return "";
    if (Array.isArray(cell)) return cell.map(words).join(" ");
    return typeof cell === "object" ? cell.name : String(cell);
  };
  const lower = rows.map((row) => row.map((cell) => words(cell).toLowerCase()));

  const fill = (td, cell, column) => {
    if (column.kind === "picture") {
      for (const picture of Array.isArray(cell) ? cell : cell ? [cell] : []) {
        td.append(multitag.image(picture.thumbnail, picture.name));
      }
    } else if (column.kind === "labels") {
      td.append(element("div", { class: "chips" }, ...(cell ?? []).map((name) => element("span", {}, name))));
    } else if (column.kind === "number") {
      td.textContent = typeof cell === "number" ? multitag.number(cell, column.digits) : words(cell);
    } else if (column.kind === "share") {
      td.textContent = multitag.share(cell, Math.min(column.digits, 1));
      td.style.setProperty("--share", cell ?? 0);
    } else td.textContent = words(cell);
  };

  // A filter of numbers may be ">0.5", "<= 3", "=2" or "3..5"; any other is words that the cell holds.
  const number = /^\s*(<=|>=|<|>|=)\s*(-?[\d.]+)\s*%?\s*$/;
  const range = /^\s*(-?[\d.]+)\s*\.\.\s*(-?[\d.]+)\s*%?\s*$/;
  const accepts = (column, want) => {
    const scale = column.kind === "share" ? 100 : 1;
    const comparison = number.exec(want);
    const between = range.exec(want);
    if (["number", "share"].includes(column.kind) && (comparison || between)) {
      const [low, high] = between ? [Number(between[1]), Number(between[2])] : [Number(comparison[2]), null];
      return (cell) => {
        if (typeof cell !== "number") return false;
        const value = cell * scale;
        if (between) return value >= low && value <= high;
        return { "<": value < low, ">": value > low, "<=": value <= low, ">=": value >= low, "=": value === low }[comparison[1]];
      };
    }
    return null;
  };

  const chosen = () => {
    let places = rows.map((_, place) => place);
    columns.forEach((column, c) => {
      const want = wanted[c];
      if (!want) return;
      const test = accepts(column, want);
      if (test) places = places.filter((p) => test(rows[p][c]));
      else if (selects[c] && column.kind === "labels") places = places.filter((p) => (rows[p][c] ?? []).includes(want));
      else if (selects[c]) places = places.filter((p) => words(rows[p][c]) === want);
      else places = places.filter((p) => lower[p][c].includes(want.toLowerCase()));
    });
    if (search) places = places.filter((p) => lower[p].some((cell) => cell.includes(search)));
    if (sorted.column !== null) {
      const c = sorted.column;
      const sign = sorted.down ? -1 : 1;
      const empty = (p) => words(rows[p][c]) === "";
      places.sort((a, b) => {
        if (empty(a) || empty(b)) return empty(a) - empty(b);
        const [x, y] = [rows[a][c], rows[b][c]];
        return sign * (typeof x === "number" && typeof y === "number" ? x - y : multitag.order.compare(words(x), words(y)));
      });
    }
    return places;
  };

  const choices = (c) => {
    const values = new Set();
    for (const row of rows) for (const v of columns[c].kind === "labels" ? row[c] ?? [] : [words(row[c])]) if (v !== "") values.add(v);
    return [...values].sort(multitag.order.compare);
  };

  const selects = columns.map((column, c) => {
    const values = column.choice || column.kind === "labels" ? choices(c) : null;
    return values && values.length <= 500 ? values : null;
  });

  const count = element("span", { class: "count", "aria-live": "polite" });
  const body = element("tbody");
  const more = element("div", { class: "more" });
  const draw = () => {
    const places = chosen();
    const drawn = places.slice(0, limit);
    body.replaceChildren(...drawn.map((p) => element("tr", {}, ...columns.map((column, c) => {
      const td = element("td", { class: column.kind });
      fill(td, rows[p][c], column);
      return td;
    }))));
    const of = places.length < rows.length ? `${multitag.whole.format(places.length)} match, of ` : "";
    count.textContent = `${of}${multitag.whole.format(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
    more.replaceChildren();
    if (drawn.length < places.length) {
      const step = Math.min(100, places.length - drawn.length);
      more.append(element("button", { type: "button", onclick: () => { limit += step; draw(); } }, `Show ${step} more`));
    }
  };

  const heads = columns.map((column, c) => element("th", { class: column.kind, scope: "col", title: column.help || null },
    column.kind === "picture" ? column.name : element("button", { type: "button", onclick: () => {
      const down = ["number", "share"].includes(column.kind);
      sorted = sorted.column === c ? { column: c, down: !sorted.down } : { column: c, down };
      heads.forEach((head, h) => head.setAttribute("aria-sort", h === c ? (sorted.down ? "descending" : "ascending") : "none"));
      draw();
    } }, column.name)));

  const filters = columns.map((column, c) => {
    const change = (event) => { wanted[c] = event.target.value; limit = shown; draw(); };
    if (column.kind === "picture") return element("th");
    const label = `Filter by ${column.name}`;
    if (selects[c]) {
      return element("th", {}, element("select", { "aria-label": label, onchange: change },
        element("option", { value: "" }, "all"), ...selects[c].map((v) => element("option", { value: v }, v))));
    }
    const hint = ["number", "share"].includes(column.kind) ? ">, <, 3..5" : "";
    return element("th", { class: column.kind }, element("input", { type: "text", "aria-label": label, placeholder: hint, oninput: change }));
  });

  const bar = element("div", { class: "bar" }, count);
  const long = rows.length > 12;
  if (long) bar.prepend(element("input", { type: "search", placeholder: "Search all columns", "aria-label": "Search all columns",
    oninput: (event) => { search = event.target.value.toLowerCase(); limit = shown; draw(); } }));
  const head = element("thead", {}, element("tr", {}, ...heads));
  if (long) head.append(element("tr", { class: "filters" }, ...filters));
  mount.replaceChildren(bar, element("div", { class: "scroll" }, element("table", {}, head, body), more));
  draw();
};
