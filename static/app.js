// A little comfort on top of pages that work without it. Nothing here decides anything.
(() => {
  "use strict";
  // Nothing that a page brings is run or styled inline, no page is kept, and what failed is never swapped in unseen.
  // htmx starts once this script has been read.
  Object.assign(htmx.config, {
    allowEval: false,
    allowScriptTags: false,
    includeIndicatorStyles: false,
    historyCacheSize: 0,
    refreshOnHistoryMiss: true,
    defaultSettleDelay: 0, // what is new hears keys at once
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "422", swap: true },
      { code: "[45]..", swap: false, error: true },
    ],
  });
  // Nor is the last search kept in the browser, where htmx would leave it: whoever uses the window next could read it.
  sessionStorage.clear();
  Object.defineProperty(window, "sessionStorage", { value: null });
  const find = (selector, root = document) => root.querySelector(selector);
  const say = (words) => { find("#said").textContent = words; };

  // The first alert of a page gets the focus: what went wrong is read out, and Tab goes on from there.
  find("[data-focus]")?.focus();

  // A link of the error summary goes to the field itself.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.notice a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.closest(".field")?.scrollIntoView({ block: "center" });
  });

  // Copying a SID. In a row of the list it stands in the link alone.
  const sidOf = (element) => find("a.name", element.closest("tr")).pathname.split("/")[2];
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr", readOnly: true });
      const before = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      before?.focus();
      return done;
    }
  };
  document.querySelectorAll(".copy-text").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy, .copy-text");
    if (!button) return;
    const beside = button.previousElementSibling;
    const what = button.matches(".copy") ? beside?.title || sidOf(button) : beside.getAttribute("aria-label");
    const done = await copied(button.matches(".copy") ? what : beside.textContent);
    say("");
    requestAnimationFrame(() => say(done ? `Copied ${what}` : "The browser refused to copy"));
    button.classList.toggle("done", done);
    setTimeout(() => button.classList.remove("done"), 1600);
  });

  // Keys: / to the search, Escape clears it, arrows go through the rows found (Enter follows the link).
  const search = () => find("main [data-search]") ?? find("[data-search]");
  const isTyping = (element) => element.matches("input, select, textarea, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const here = event.target;
    if (event.key === "/" && !isTyping(here) && search()) {
      event.preventDefault();
      search().focus();
      search().select();
    } else if (event.key === "Escape" && here.matches("[data-search]") && here.value) {
      event.preventDefault();
      here.value = "";
      here.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const names = [...document.querySelectorAll("#results a.name")];
      const place = names.indexOf(here);
      if (!names.length || (place < 0 && here !== search())) return;
      event.preventDefault();
      const next = place + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? search() : names[Math.min(next, names.length - 1)])?.focus();
    }
  });

  // Many at once: what is ticked stays ticked from page to page of the list, and goes along with the form.
  // A refresh of the table leaves what was chosen; another question to the list takes "all that match" back.
  const chosen = new Set();
  let kind = "";
  let allOf = null;
  const boxes = () => [...document.querySelectorAll("input[name=sid][form=many]")];
  const tell = () => {
    const words = find("#chosen");
    const page = find("[data-page]");
    if (!words) return;
    const { elements } = find("#many");
    const all = elements.all.checked = allOf === elements.query.value;
    if (kind && elements.kind) elements.kind.value = kind;
    words.textContent = all ? "All selected" : `${chosen.size} selected`;
    boxes().forEach((box) => { box.checked = all || chosen.has(box.value); box.disabled = all; });
    find("[data-unpick]").hidden = !chosen.size || all;
    page.hidden = false;
    page.checked = boxes().every((box) => box.checked);
  };
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-page]")) boxes().forEach(({ value }) => chosen[target.checked ? "add" : "delete"](value));
    else if (target.matches("input[name=sid]")) chosen[target.checked ? "add" : "delete"](target.value);
    else if (target.matches("#many [name=all]")) allOf = target.checked ? target.form.elements.query.value : null;
    else {
      if (target.matches("#many [name=kind]")) kind = target.value;
      return;
    }
    tell();
    say(find("#chosen").textContent);
  });
  document.addEventListener("click", ({ target }) => {
    if (!target.matches("[data-unpick]")) return;
    chosen.clear();
    tell();
    say(find("#chosen").textContent);
    find("#many [name=all]").focus();
  });
  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.id === "many") formData.set("sids", [...chosen].join(" "));
  });
  tell();

  // A row's actions say whose they are, for those who meet them out of the row.
  const nameActions = () => document.querySelectorAll("td.actions a").forEach((link) => {
    link.ariaLabel = `${link.textContent} ${find("a.name", link.closest("tr")).textContent}`;
  });
  const nameBoxes = () => boxes().forEach((box) => {
    box.ariaLabel = `Select ${find("a.name", box.closest("tr")).textContent}`;
  });
  nameActions();
  nameBoxes();
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.elt.id === "plan" && !detail.elt.hasAttribute("hx-get")) {
      say([find("#plan-state"), find("h2", detail.elt)].map((part) => part.textContent).join(". "));
    }
    if (detail.target.id !== "results") return;
    nameActions();
    nameBoxes();
    tell();
    const facets = JSON.parse(find("[data-facets]")?.dataset.facets ?? "{}");
    document.querySelectorAll("#filters select").forEach(({ name, options }) => [...options].forEach((option) => {
      const counts = facets[name] ?? {};
      const count = Object.hasOwn(counts, option.value) ? counts[option.value] : facets[""];
      if (option.value) option.text = option.text.replace(/\d+\+?(?=\)$)/, count);
    }));
    const filters = [...document.querySelectorAll(".found .chip")].map((chip) => chip.textContent.replace("Remove ", ""));
    say([find("#count")?.textContent ?? "", filters.join("; ")].filter(Boolean).join(". "));
  });

  // Switching a flow in a dialog over the page; a link that is opened otherwise leads to a page of its own. What it
  // came to stands in a toast, one a flow and three at most, until somebody dismisses it.
  const dialog = find("#dialog");
  const toasts = find("#toasts");
  let opener = "";
  const back = () => (find(`main a[href="${opener}"]`) ?? find("#main")).focus();
  document.addEventListener("click", (event) => {
    const link = event.target.closest('main a[href$="/enabled/"]');
    const dismiss = event.target.closest("[data-dismiss]");
    if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      htmx.ajax("GET", link.getAttribute("href"), "#dialog-body");
    } else if (dismiss) {
      opener = dismiss.dataset.dismiss;
      dismiss.closest(".toast").remove();
      back();
    } else if (event.target.matches("[data-close]")) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    const undo = find("[data-undo] button");
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey || !undo || isTyping(event.target)) return;
    event.preventDefault();
    undo.focus();
  });
  dialog?.addEventListener("close", () => {
    document.body.append(find("#trouble"));
    back();
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const form = detail.requestConfig.elt;
    if (detail.target.id !== "dialog-body" || detail.xhr.status < 400) return;
    // An ended session: what was typed goes to the sign-in page, as it does without this script.
    if (detail.xhr.status === 401 && form.matches("form")) form.submit();
    detail.shouldSwap = !/^$|<html/.test(detail.xhr.responseText);
    detail.isError = !detail.shouldSwap && detail.xhr.status !== 401;
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "dialog-body") {
      opener = detail.requestConfig.path;
      if (!dialog.open) {
        find(`main a[href="${opener}"]`)?.focus();
        dialog.append(find("#trouble")); // beside the dialog it could be neither seen nor reached
        dialog.showModal();
      }
      (find("[data-focus]", dialog) ?? find("input:not([type=hidden])", dialog))?.focus();
    } else if (detail.target === toasts) {
      opener = detail.requestConfig.path;
      [...toasts.children].slice(1).filter((toast) => find(`[data-dismiss="${opener}"]`, toast)).forEach((toast) => toast.remove());
      while (toasts.children.length > 3) toasts.lastElementChild.remove();
      if (dialog.contains(detail.requestConfig.elt)) dialog.close();
      else if (document.activeElement === document.body) back();
    }
  });
  // While it is sent, the button says so; a second press is not heard (hx-sync).
  const exchange = ({ detail }) => {
    const button = detail.elt.matches("form") && find("[data-busy]", detail.elt);
    if (button) [button.textContent, button.dataset.busy] = [button.dataset.busy, button.textContent];
  };
  document.addEventListener("htmx:beforeRequest", exchange);
  document.addEventListener("htmx:afterRequest", exchange);

  // A form with unsaved input asks before it is left.
  let guarded = find("[data-guard]");
  let isDirty = guarded?.dataset.guard === "dirty";
  guarded?.addEventListener("input", () => { isDirty = true; });
  guarded?.addEventListener("change", () => { isDirty = true; });
  guarded?.addEventListener("submit", () => { isDirty = false; });
  addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });

  // A change is sent once: the button that sends it rests after the first press.
  const resting = new Set();
  document.addEventListener("submit", (event) => {
    const button = event.submitter ?? find("button:not([type=button])", event.target);
    if (event.defaultPrevented || event.target.method !== "post" || event.target.matches("[hx-post], [data-again]") || button?.matches("[data-again]")) return;
    if (!button || isDirty) return; // another form than the one with the input: the person may choose to stay
    setTimeout(() => {
      resting.add([button, button.textContent]);
      button.disabled = true;
      if (button.dataset.busy) say(button.textContent = button.dataset.busy);
    });
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    resting.forEach(([button, words]) => Object.assign(button, { disabled: false, textContent: words }));
    resting.clear();
  });

  // htmx: empty filters stay out of the address; the focus survives a swap; trouble is told.
  const trouble = (words) => Object.assign(find("#trouble"), { textContent: words, hidden: !words });
  let held = null;
  const hold = ({ target }) => {
    const active = document.activeElement;
    // Another row's action is not the same, though its words are.
    const words = active.closest("td") ? null : active.textContent;
    if (target?.contains(active)) held = { href: active.getAttribute("href"), words };
  };
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    hold(detail);
    if (detail.verb !== "get") return;
    [...detail.formData.entries()].forEach(([name, value]) => value === "" && detail.formData.delete(name));
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    hold(detail);
    // htmx would take leave of each part of each row, though it knows none of them.
    if (detail.target.id === "results" && detail.shouldSwap) find("#results tbody")?.replaceChildren();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!held || document.activeElement !== document.body) return;
    const choices = [...document.querySelectorAll("main a, main button")];
    const same = choices.find((element) => held.href && element.getAttribute("href") === held.href)
      ?? choices.find((element) => element.textContent === held.words);
    (same ?? find("#main")).focus({ preventScroll: true });
    held = null;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) trouble(""); });
  // Never "reload" where that would lose what was typed.
  const advice = guarded
    ? "Your input is kept. Some fields may not match the chosen integration type until you review the form."
    : "This page may be out of date. Reload it.";
  document.addEventListener("htmx:responseError", ({ detail }) => {
    trouble(detail.xhr.status === 401
      ? "Your session expired. Your input is kept. Review the form to sign in and continue."
      : `The dashboard returned an error (HTTP ${detail.xhr.status}). ${advice}`);
  });
  document.addEventListener("htmx:sendError", () => {
    trouble(`Couldn’t reach the dashboard. Check your connection. ${advice}`);
  });
})();
