// Charts in the page's own colours. Names come from users: what plotly would read as markup is shown as it stands.
{
  const spoken = new Set(["x", "y", "name", "text", "labels", "customdata", "ticktext", "hovertext"]);
  const escape = (value) => {
    if (typeof value === "string") return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    return Array.isArray(value) ? value.map(escape) : value;
  };
  const safe = (trace) => Object.fromEntries(Object.entries(trace).map(([k, v]) => [k, spoken.has(k) ? escape(v) : v]));

  const template = () => {
    const c = multitag.colour;
    const axis = {
      gridcolor: c("grid"), linecolor: c("line"), zerolinecolor: c("line"), tickcolor: c("line"), ticks: "",
      automargin: true, title: { font: { size: 12, color: c("soft") }, standoff: 10 }, tickfont: { size: 12, color: c("soft") },
    };
    const scale = [[0, c("heat0")], [0.15, c("heat1")], [0.55, c("heat2")], [1, c("heat3")]];
    return {
      layout: {
        colorway: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => c(`s${i}`)),
        colorscale: { sequential: scale },
        font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: c("ink") },
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        margin: { l: 48, r: 16, t: 26, b: 44 }, bargap: 0.22, bargroupgap: 0.05,
        xaxis: axis, yaxis: axis, hovermode: "closest",
        hoverlabel: { bgcolor: c("ink"), bordercolor: c("ink"), font: { color: c("paper"), size: 12.5 }, align: "left" },
        legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", xanchor: "left", font: { size: 12, color: c("soft") } },
      },
      data: { heatmap: [{ colorscale: scale, colorbar: { outlinewidth: 0, tickfont: { color: c("soft"), size: 11 }, title: { font: { color: c("soft"), size: 12 } } } }] },
    };
  };

  // Long names on an axis are cut; pointing at a mark shows them whole.
  const LONG = 26;
  const shorten = (traces, layout) => {
    for (const axis of ["x", "y"]) {
      const names = layout[`${axis}axis`]?.type === "category" ? [...new Set(traces.flatMap((trace) => trace[axis] ?? []))] : [];
      if (!names.some((name) => String(name).length > LONG)) continue;
      const cut = names.map((name) => (name.length > LONG ? `${name.slice(0, LONG - 1)}…` : name));
      Object.assign(layout[`${axis}axis`], { tickvals: names.map(escape), ticktext: cut.map(escape) });
    }
    return layout;
  };

  multitag.drawn = new Map();
  multitag.plot = (div, traces, layout = {}) => {
    multitag.drawn.set(div, [traces, layout]);
    return Plotly.react(div, traces.map(safe), { ...shorten(traces, structuredClone(layout)), template: template() },
      { displayModeBar: false, responsive: true, doubleClick: "reset" });
  };
  multitag.onTheme.push(() => multitag.drawn.forEach(([traces, layout], div) => div.isConnected && multitag.plot(div, traces, layout)));

  const kinds = (rows, place) => (rows.every((row) => row[place] === null || typeof row[place] === "number") ? "number" : "text");
  multitag.numbersTable = (mount, { columns, rows }) => multitag.table(mount, {
    columns: columns.map((name, place) => {
      const kind = kinds(rows, place);
      const whole = rows.every((row) => row[place] === null || Number.isInteger(row[place]));
      return { name, kind, digits: whole ? 0 : 4, choice: false, help: "" };
    }),
    rows,
    shown: 10,
  });

  multitag.chart = (block, { traces, layout, numbers }) => {
    const div = block.querySelector(".plot");
    multitag.whenSeen(div, () => multitag.plot(div, traces, layout));
    const details = block.querySelector("details");
    details.addEventListener("toggle", () => multitag.numbersTable(details.querySelector(".mount"), numbers), { once: true });
  };
}
