"use strict";

/**
 * The view as a PNG that the browser downloads.
 *
 * explorerPicture(dom, sheet) → {download(view, name) → Promise}; a view as sheet.draw takes it.
 */
function explorerPicture({ el }, { draw }) {
  const SCALE = 2, KEPT = 10000; // pixels in one of the sheet; milliseconds

  async function png(view) {
    const page = draw(view), box = page.getAttribute("viewBox").split(" ");
    const [width, height] = box.slice(2).map((side) => side * SCALE);
    page.setAttribute("width", width);
    page.setAttribute("height", height);
    const source = new XMLSerializer().serializeToString(page), image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
    await image.decode();
    const canvas = el("canvas", { width, height });
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  async function download(view, name) {
    const address = URL.createObjectURL(await png(view));
    const link = el("a", { href: address, download: `${name}.png` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), KEPT);
  }

  return { download };
}
