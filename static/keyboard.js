// Keyboard shortcuts. Every page works without them.
// flexadmin/keyboard/shortcuts.py lists the shortcuts for users.
(() => {
  "use strict";

  const find = (selector, root = document) => root.querySelector(selector);
  const isTyping = (element) => element.matches(
    "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]",
  );
  const isDialogOpen = () => find(":modal") !== null;
  const isCommand = (event, key) => (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey
    && event.key.toLowerCase() === key;

  // 1. Rows
  // j and k, or the arrow keys, move through the rows of a list. The link of a row has the focus.
  const rowLinks = () => [...document.querySelectorAll("main .cards a.name")];
  const focusedRow = () => document.activeElement.closest("main .cards tbody tr");
  const moveBy = (step) => {
    const links = rowLinks();
    const place = links.findIndex((link) => link.closest("tr") === focusedRow());
    links[Math.min(Math.max(place + step, 0), links.length - 1)]?.focus();
  };

  // 2. Search
  // "/" focuses the search, Escape clears it, and the arrow keys lead from it to the rows and back.
  const search = () => find("main [data-search]") ?? find("[data-search]");
  const focusSearch = () => {
    search()?.focus();
    search()?.select();
  };
  const clearSearch = (field) => {
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const pressArrow = (event) => {
    const isInSearch = event.target === search();
    if (!rowLinks().length || !(isInSearch || event.target.matches("main .cards a.name"))) return;
    event.preventDefault();
    if (event.key === "ArrowDown") moveBy(1);
    else if (event.target === rowLinks()[0]) search()?.focus();
    else if (!isInSearch) moveBy(-1);
  };

  // 3. Single keys
  // They are off while the user types, while a dialog is open, and if the page of shortcuts turned them off.
  const areSingleKeysOn = document.body.dataset.singleKeys !== "off";
  const editLink = ':is(a[href$="/edit/"], a[href*="/edit/?list="])';
  const actions = {
    "/": focusSearch,
    "?": () => find("a[data-dialog]")?.click(),
    j: () => moveBy(1),
    k: () => moveBy(-1),
    x: () => focusedRow()?.querySelector("input[name=sid]")?.click(),
    e: () => (focusedRow() ?? find("main .title + .actions"))?.querySelector(editLink)?.click(),
  };
  const addresses = { f: "/flows/", e: "/flows/drift/", b: "/flows/plans/", l: "/audit/", u: "/people/" };
  const pageActions = Object.fromEntries(Object.entries(addresses).map(
    ([key, address]) => [key, () => find(`.side a[href="${address}"]`)?.click()],
  ));
  let gPressedAt = -Infinity; // ms
  const pressSingleKey = (event) => {
    if (!areSingleKeysOn || isTyping(event.target)) return;
    const isAfterG = event.timeStamp - gPressedAt < 1500;
    const action = (isAfterG ? pageActions : actions)[event.key];
    gPressedAt = event.key === "g" && !isAfterG ? event.timeStamp : -Infinity;
    if (!action) return;
    event.preventDefault();
    action();
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || isDialogOpen()) return;
    const { target } = event;
    if (isCommand(event, "z")) {
      const undo = find("[data-undo] button");
      if (!undo || isTyping(target)) return;
      event.preventDefault();
      undo.focus();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") pressArrow(event);
    else if (event.key === "Escape" && target.matches("[data-search]") && target.value) {
      event.preventDefault();
      clearSearch(target);
    } else if (event.key !== "Shift") pressSingleKey(event);
  });
})();
