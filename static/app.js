// Conveniences on top of pages that work without JavaScript. Nothing here decides anything.
// The numbered sections follow a page's life: its start, the user's input, and htmx's requests. The shortcuts and the
// palette are in keyboard.js.
(() => {
  "use strict";

  // 1. Setup
  // Inline scripts and styles never run, no page is cached, and an error page never replaces part of a page.
  // htmx starts after this script.
  Object.assign(htmx.config, {
    allowEval: false,
    allowScriptTags: false,
    includeIndicatorStyles: false,
    historyCacheSize: 0,
    refreshOnHistoryMiss: true,
    defaultSettleDelay: 0, // new content reacts to keys at once
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "422", swap: true },
      { code: "[45]..", swap: false, error: true },
    ],
  });
  // htmx would keep the last search in sessionStorage, where the next person at this computer could read it.
  sessionStorage.clear();
  Object.defineProperty(window, "sessionStorage", { value: null });
  const find = (selector, root = document) => root.querySelector(selector);
  const textOf = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const announce = (words) => { find("#announcement").textContent = words; };

  // 2. Focus
  // The first alert of a page gets the focus, so a screen reader reads it and Tab continues from there.
  find("[data-focus]")?.focus();

  // A link of the error summary focuses its field.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.notice a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.closest(".field")?.scrollIntoView({ block: "center" });
  });

  // 3. Copy and print
  // In a row of the list, only the link contains the whole SID.
  const sidOfRow = (element) => find("a.name", element.closest("tr")).pathname.split("/")[2];
  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      Object.assign(area, { value: text, className: "sr", readOnly: true });
      const before = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      before?.focus();
      return done;
    }
  };
  document.querySelectorAll(".copy-text, [data-print]").forEach((button) => { button.hidden = false; });
  find("[data-print]")?.addEventListener("click", () => print());
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy, .copy-text");
    if (!button) return;
    const source = button.dataset.from ? find(button.dataset.from) : button.previousElementSibling;
    const isSid = button.matches(".copy");
    const label = isSid ? source?.title || sidOfRow(button) : source.getAttribute("aria-label");
    const done = await copyText(isSid ? label : source.textContent);
    announce("");
    requestAnimationFrame(() => announce(done ? `Copied ${label}` : "The browser refused to copy"));
    button.classList.toggle("done", done);
    setTimeout(() => button.classList.remove("done"), 1600);
  });

  // 4. Selection
  // Selected flows stay selected from page to page and are sent with the form. "Select all matching flows"
  // is valid for one query: another query clears it.
  const selectedSids = new Set();
  const selectedOptions = {}; // of the bar: its change and its format of an export
  let selectedQuery = null;
  const rowCheckbox = "input[name=sid][form=many]";
  const rowCheckboxes = () => [...document.querySelectorAll(rowCheckbox)];
  const showSelection = () => {
    const words = find("#chosen");
    const page = find("[data-page]");
    if (!words) return;
    const { elements } = find("#many");
    const all = elements.all.checked = selectedQuery === elements.query.value;
    Object.entries(selectedOptions).forEach(([name, value]) => {
      if (elements[name]) elements[name].value = value;
    });
    words.textContent = all ? "All selected" : `${selectedSids.size} selected`;
    rowCheckboxes().forEach((box) => { box.checked = all || selectedSids.has(box.value); box.disabled = all; });
    find("[data-unpick]").hidden = !selectedSids.size || all;
    page.hidden = false;
    page.checked = rowCheckboxes().every((box) => box.checked);
  };
  document.addEventListener("change", ({ target }) => {
    const change = target.checked ? "add" : "delete";
    if (target.matches("[data-page]")) rowCheckboxes().forEach(({ value }) => selectedSids[change](value));
    else if (target.matches(rowCheckbox)) selectedSids[change](target.value);
    else if (target.matches("[name=all]")) {
      selectedQuery = target.checked ? target.form.elements.query.value : null;
    } else {
      if (target.matches("#many select")) selectedOptions[target.name] = target.value;
      return;
    }
    showSelection();
    announce(find("#chosen").textContent);
  });
  document.addEventListener("click", ({ target }) => {
    if (!target.matches("[data-unpick]")) return;
    selectedSids.clear();
    showSelection();
    announce(find("#chosen").textContent);
    find("[name=all]").focus();
  });
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.id === "many") formData.set("sids", [...selectedSids].join(" "));
  });
  showSelection();

  // 5. List updates
  // A row's box and actions get the flow's name, for screen readers that list them without their row.
  const labelRows = () => document.querySelectorAll(`td.actions a, ${rowCheckbox}`).forEach((element) => {
    const words = element.textContent || "Select";
    element.ariaLabel = `${words} ${find("a.name", element.closest("tr")).textContent}`;
  });
  labelRows();
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.elt.id === "plan" && !detail.elt.hasAttribute("hx-get")) {
      announce([find("#plan-state"), find("h2", detail.elt)].map(textOf).join(". "));
    }
    if (detail.target.id !== "results") return;
    labelRows();
    showSelection();
    const facets = JSON.parse(find("[data-facets]")?.dataset.facets ?? "{}");
    document.querySelectorAll("#filters select").forEach(({ name, options }) => [...options].forEach((option) => {
      const counts = facets[name];
      if (!counts || !option.value) return; // owners and tags have no counts
      const count = Object.hasOwn(counts, option.value) ? counts[option.value] : facets[""];
      option.text = option.text.replace(/\d+\+?(?=\)$)/, count);
    }));
    const chips = [...document.querySelectorAll(".found .chip:not(.plain)")];
    const filters = chips.map((chip) => textOf(chip).replace("Remove ", ""));
    announce([textOf(find("#count")), filters.join("; ")].filter(Boolean).join(". "));
  });

  // 6. Dialog and toasts
  // A click turns a flow on or off in a dialog; opened in a new tab, the same link is a page. So are the shortcuts. The
  // result stands in a toast until the user dismisses it: one per flow, three at most.
  const dialog = find("#dialog");
  const toasts = find("#toasts");
  let opener = "";
  const focusOpener = () => (find(`main a[href="${opener}"]`) ?? find("#main")).focus();
  document.addEventListener("click", (event) => {
    const link = event.target.closest(
      ':is(main, #palette) a[href*="/enabled/"]:not([href*=undo]), a[data-dialog]',
    );
    const dismiss = event.target.closest("[data-dismiss]");
    if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      htmx.ajax("GET", link.getAttribute("href"), "#dialog-body");
    } else if (dismiss) {
      opener = dismiss.dataset.dismiss;
      dismiss.closest(".toast").remove();
      focusOpener();
    } else if (event.target.matches("#dialog [data-close]")) dialog.close();
  });
  dialog?.addEventListener("close", () => {
    document.body.append(find("#page-problem"));
    // The browser gives the focus back to the opener if that is still there.
    const active = document.activeElement;
    if (active === document.body || dialog.contains(active)) focusOpener();
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const form = detail.requestConfig.elt;
    if (detail.target.id !== "dialog-body" || detail.xhr.status < 400) return;
    // The session expired: the form goes to the sign-in page, which keeps its input, as without JavaScript.
    if (detail.xhr.status === 401 && form.matches("form")) form.submit();
    detail.shouldSwap = !/^$|<html/.test(detail.xhr.responseText);
    detail.isError = !detail.shouldSwap && detail.xhr.status !== 401;
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "dialog-body") {
      opener = detail.requestConfig.path;
      if (!dialog.open) {
        find(`main a[href="${opener}"]`)?.focus();
        dialog.append(find("#page-problem")); // outside the open dialog it would be inert
        dialog.showModal();
      }
      (find("[data-focus]", dialog) ?? find("input:not([type=hidden])", dialog))?.focus();
    } else if (detail.target === toasts) {
      opener = detail.requestConfig.path;
      const isOfSameFlow = (toast) => find(`[data-dismiss="${opener}"]`, toast);
      [...toasts.children].slice(1).filter(isOfSameFlow).forEach((toast) => toast.remove());
      while (toasts.children.length > 3) toasts.lastElementChild.remove();
      if (dialog.contains(detail.requestConfig.elt)) dialog.close();
      else if (document.activeElement === document.body) focusOpener();
    }
  });
  // The button shows that the request is being sent. hx-sync ignores a second press.
  const swapBusyLabel = ({ detail }) => {
    const button = detail.elt.matches("form") && find("[data-busy]", detail.elt);
    if (button) [button.textContent, button.dataset.busy] = [button.dataset.busy, button.textContent];
  };
  document.addEventListener("htmx:beforeRequest", swapBusyLabel);
  document.addEventListener("htmx:afterRequest", swapBusyLabel);

  // 7. Unsaved input
  let guardedForm = find("[data-guard]");
  let isDirty = guardedForm?.dataset.guard === "dirty";
  guardedForm?.addEventListener("input", () => { isDirty = true; });
  guardedForm?.addEventListener("change", () => { isDirty = true; });
  guardedForm?.addEventListener("submit", () => { isDirty = false; });
  addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });

  // 8. Single submission
  // The button of a change is disabled after the first press.
  const disabledButtons = new Set();
  document.addEventListener("submit", (event) => {
    const button = event.submitter ?? find("button:not([type=button])", event.target);
    const mayRepeat = event.target.matches("[hx-post], [data-again]") || button?.matches("[data-again]");
    if (event.defaultPrevented || event.target.method !== "post" || mayRepeat) return;
    if (!button || isDirty) return; // another form than the edited one: the user may choose to stay
    setTimeout(() => {
      disabledButtons.add([button, button.textContent]);
      button.disabled = true;
      if (button.dataset.busy) announce(button.textContent = button.dataset.busy);
    });
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    disabledButtons.forEach(([button, words]) => Object.assign(button, { disabled: false, textContent: words }));
    disabledButtons.clear();
  });

  // 9. Requests of htmx
  // Empty filters stay out of the address, the focus survives a swap, and errors are shown.
  const showProblem = (words) => Object.assign(find("#page-problem"), { textContent: words, hidden: !words });
  let focusToRestore = null;
  const rememberFocus = ({ target }) => {
    const active = document.activeElement;
    // Actions of other rows have the same text, so only the link identifies one.
    const words = active.closest("td") ? null : active.textContent;
    if (target?.contains(active)) focusToRestore = { href: active.getAttribute("href"), words };
  };
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    rememberFocus(detail);
    if (detail.verb !== "get") return;
    [...detail.formData.entries()].forEach(([name, value]) => value === "" && detail.formData.delete(name));
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    rememberFocus(detail);
    // htmx would clean up every element of every row; removing them first saves that time.
    if (detail.target.id === "results" && detail.shouldSwap) find("#results .cards")?.remove();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!focusToRestore || document.activeElement !== document.body) return;
    const choices = [...document.querySelectorAll("main a, main button")];
    const same = choices.find((element) => focusToRestore.href && element.getAttribute("href") === focusToRestore.href)
      ?? choices.find((element) => element.textContent === focusToRestore.words);
    (same ?? find("#main")).focus({ preventScroll: true });
    focusToRestore = null;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) showProblem(""); });
  // "Reload" is bad advice where it would lose input.
  const advice = guardedForm
    ? "Your input is kept. Some fields may not match the selected integration type until you review the form."
    : "This page may be out of date. Reload it.";
  document.addEventListener("htmx:responseError", ({ detail }) => {
    showProblem(detail.xhr.status === 401
      ? "Your session expired. Your input is kept. Review the form to sign in and continue."
      : `The dashboard returned an error (HTTP ${detail.xhr.status}). ${advice}`);
  });
  document.addEventListener("htmx:sendError", () => {
    showProblem(`Couldn’t reach the dashboard. Check your connection. ${advice}`);
  });
})();
