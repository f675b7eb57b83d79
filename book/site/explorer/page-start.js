"use strict";

/* The last script of the page: everything is defined, so begin. */
{
  const root = document.getElementById("explorer");
  try {
    explorerPage(root);
  } catch (error) {
    root.textContent = `The explorer could not start in this browser: ${error.message}.`;
    throw error;
  }
}
