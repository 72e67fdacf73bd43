// Keyboard shortcuts, and the palette that Ctrl K opens. Every page works without them.
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
  const addresses = {
    o: "/", f: "/flows/", t: "/flows/targets/", e: "/flows/drift/", b: "/flows/plans/", l: "/audit/", u: "/people/",
  };
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

  // 4. Palette
  // The focus stays in the input. aria-activedescendant names the active option, which Enter opens.
  const palette = find("#palette");
  if (!palette) return;
  const input = find("input", palette);
  const status = find("[role=status]", palette);
  const results = find("#palette-results");
  const options = () => [...results.querySelectorAll("[role=option]")];
  const activeOption = () => find("[aria-selected=true]", results);
  let isStale = false; // the results are not those of the text
  let isEnterWaiting = false; // Enter was pressed before the results came

  const activate = (option) => {
    activeOption()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const markStale = () => {
    isStale = true;
    isEnterWaiting = false;
    activate(null);
  };
  const openPalette = () => {
    input.value = status.textContent = results.innerHTML = "";
    markStale();
    palette.append(find("#page-problem")); // outside the open dialog it would be inert
    palette.showModal();
    input.focus();
    htmx.trigger(input, "opened");
  };
  const openActive = () => {
    if (isStale) isEnterWaiting = true;
    else activeOption()?.click();
  };

  document.addEventListener("keydown", (event) => {
    if (!isCommand(event, "k") || (isDialogOpen() && !palette.open)) return;
    event.preventDefault();
    if (palette.open) palette.close();
    else openPalette();
  });
  input.addEventListener("input", markStale);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || !(step || event.key === "Enter")) return;
    event.preventDefault();
    if (!step) openActive();
    else if (!isStale) {
      const place = options().indexOf(activeOption()) + step;
      activate(options().at(place % options().length));
    }
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target !== results) return;
    const count = options().length;
    isStale = false;
    input.setAttribute("aria-expanded", String(count > 0));
    activate(options()[0]);
    status.textContent = count ? `${count} result${count === 1 ? "" : "s"}` : "No results";
    if (isEnterWaiting) openActive();
  });
  // A button whose request leads to another page stays visible until that has come.
  palette.addEventListener("click", ({ target }) => {
    const isChosen = target.closest("[role=option]:not([data-busy]), [data-close]");
    if (target === palette || isChosen) palette.close();
  });
  // The browser gives the focus back, unless it was in the menu, which is closed by now.
  const isFocusLost = () => document.activeElement === document.body || palette.contains(document.activeElement);
  palette.addEventListener("close", () => {
    htmx.trigger(input, "htmx:abort");
    document.body.append(find("#page-problem"));
    if (isFocusLost()) find(".menu-button").focus();
    if (isFocusLost()) find("#main").focus();
  });
  find("[data-palette]")?.addEventListener("click", openPalette);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) find("[data-palette] kbd").textContent = "⌘ K";
})();
