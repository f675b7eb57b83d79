"use strict";

/** What was set, with undo and redo: a list of settings and a place in it. */
function explorerChanges() {
  const MOST = 200;
  let past = [], future = [], now = null;

  return {
    get now() {
      return now;
    },
    get undoable() {
      return past.length > 0;
    },
    get redoable() {
      return future.length > 0;
    },
    /** Begin anew, or note a change. */
    set(setting) {
      if (now) past = [...past.slice(1 - MOST), now];
      now = setting;
      future = [];
    },
    undo() {
      if (!past.length) return;
      future = [now, ...future];
      now = past.pop();
    },
    redo() {
      if (!future.length) return;
      past = [...past, now];
      now = future.shift();
    },
  };
}
