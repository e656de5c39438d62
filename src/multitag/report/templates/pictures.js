// Each thumbnail is in the page once; an image gets its own when it is first seen.
multitag.image = (place, name) => {
  if (place === null || place === undefined) return multitag.element("span", { class: "absent" }, "no picture");
  const made = multitag.element("img", { alt: name, title: name, "data-thumbnail": place });
  multitag.showPictures([made]);
  return made;
};
multitag.showPictures = (images) => {
  for (const image of images) {
    multitag.whenSeen(image, () => { image.src = multitag.data.thumbnails[image.dataset.thumbnail]; });
  }
};
