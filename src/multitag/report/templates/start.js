// Brings each block to life, and marks where the reader is in the list of contents.
const startTable = (block, data) => {
  const start = () => multitag.table(block.querySelector(".mount"), data);
  if (block.closest(".option")) multitag.whenSeen(block, start);
  else start(); // at once: the page keeps its length while it is read
};
for (const block of document.querySelectorAll(".block")) {
  const data = multitag.data.blocks[block.dataset.block];
  if (block.classList.contains("table")) startTable(block, data);
  else if (block.classList.contains("chart")) multitag.chart(block, data);
  else if (block.classList.contains("choice")) multitag.choice(block);
  else if (block.classList.contains("interactive")) multitag.interactive(block, data);
}
multitag.showPictures(document.querySelectorAll("img[data-thumbnail]"));
{
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const mark = () => {
    const sections = [...document.querySelectorAll("main > section")];
    const here = sections.findLast((section) => section.getBoundingClientRect().top < innerHeight * 0.3) ?? sections[0];
    links.forEach((link, id) => link.classList.toggle("here", id === here?.id));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}
document.documentElement.dataset.ready = "yes";
