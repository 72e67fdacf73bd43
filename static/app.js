// A little comfort on top of pages that work without it. Nothing here decides anything.
(() => {
  "use strict";
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

  // Copying a SID.
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
    const what = button.matches(".copy") ? beside.title : beside.getAttribute("aria-label");
    const done = await copied(button.matches(".copy") ? what : beside.textContent);
    say("");
    requestAnimationFrame(() => say(done ? `Copied ${what}` : "Copying was refused by the browser"));
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

  // A row's actions say whose they are, for those who meet them out of the row.
  const nameActions = () => document.querySelectorAll("td.actions a").forEach((link) => {
    link.ariaLabel = `${link.textContent} ${find("a.name", link.closest("tr")).textContent}`;
  });
  nameActions();
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "results") return;
    nameActions();
    say(find("#count")?.textContent ?? "");
  });

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
    if (event.defaultPrevented || event.target.method !== "post" || event.target.matches("[hx-post], [data-again]")) return;
    if (!button) return;
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
    if (target?.contains(active)) held = { href: active.getAttribute("href"), words: active.textContent };
  };
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    hold(detail);
    if (detail.verb !== "get") return;
    [...detail.formData.entries()].forEach(([name, value]) => value === "" && detail.formData.delete(name));
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => hold(detail));
  document.addEventListener("htmx:afterSettle", () => {
    if (!held || document.activeElement !== document.body) return;
    const choices = [...document.querySelectorAll("main a, main button")];
    const same = choices.find((element) => held.href && element.getAttribute("href") === held.href)
      ?? choices.find((element) => element.textContent === held.words);
    (same ?? find("#main")).focus({ preventScroll: true });
    held = null;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) trouble(""); });
  document.addEventListener("htmx:responseError", ({ detail }) => {
    trouble(`The dashboard answered with an error (HTTP ${detail.xhr.status}). What you see may be old: reload the page.`);
  });
  document.addEventListener("htmx:sendError", () => {
    trouble("The dashboard can’t be reached. What you see may be old: check your connection, then reload the page.");
  });
})();
