// Parts with scripts of their own get these tools.
//   plot(div, traces, layout)    draws in the page's colours, and again when they change; call again to change it
//   table(mount, {columns, rows, shown})   columns: {name, kind, digits, choice, help}, kinds as of `Column` in Python
//   image(place, name)           an <img> of a thumbnail; in a payload, a Thumbnail arrives as {thumbnail: place, name}
//   element(tag, attributes, ...children)   "onclick" and the like in the attributes add listeners
//   number(value, digits), share(value, digits)   as the page writes them
//   colour(name)                 a colour of the page: ink, soft, accent, warn, line, s0 ... s7
//   onTheme(call)                called when the colours change
multitag.interactive = (block, { payload }) => {
  const tools = {
    plot: multitag.plot, table: multitag.table, image: multitag.image, element: multitag.element,
    number: multitag.number, share: multitag.share, colour: multitag.colour,
    onTheme: (call) => multitag.onTheme.push(call),
  };
  const root = block.querySelector(":scope > .root");
  multitag.whenSeen(root, () => window.multitagParts[block.dataset.block](root, payload, tools));
};
