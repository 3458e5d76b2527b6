// What spares reloads and typing; every page works without it.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // The browser's time zone, until the person chooses one.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !/(^|; )clarion_zone=/.test(document.cookie)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `clarion_zone=${zone}; Path=/console; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  // Regions that refresh themselves: `data-live` says after how many milliseconds. A hidden tab asks
  // nothing; a slow server is asked more seldom.
  let slowness = 1;
  const next = new WeakMap();
  const look = () => {
    if (document.hidden) return;
    const now = performance.now();
    for (const region of document.querySelectorAll("[data-live]")) {
      const due = next.get(region);
      if (due === undefined) next.set(region, now + Number(region.dataset.live));
      else if (due <= now && !region.contains(document.activeElement?.closest("input, textarea, select"))) {
        next.set(region, now + Number(region.dataset.live) * slowness);
        region.dispatchEvent(new CustomEvent("poll"));
      }
    }
  };
  setInterval(look, 250);
  document.addEventListener("visibilitychange", look);
  let asked = 0;
  document.addEventListener("htmx:before:request", () => { asked = performance.now(); });
  document.addEventListener("htmx:after:request", () => {
    slowness = Math.min(10, Math.max(1, (performance.now() - asked) / 500));
  });

  // What fails takes nothing from the page (`noSwap` in layout.html); it is said, until it goes well.
  const tell = (words) => {
    let line = document.getElementById("away");
    if (!words || line?.textContent === words) return words || line?.remove();
    line ||= document.createElement("p");
    line.id = "away";
    line.className = "notice warn";
    line.setAttribute("role", "status");
    line.textContent = words;
    document.getElementById("main").prepend(line);
  };
  const AWAY = "Clarion does not answer now: what stands here is as of before. What moves is asked for again; load the page anew for the rest.";
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx && !event.detail.ctx.response) tell(AWAY);
  });
  document.addEventListener("htmx:after:request", async (event) => {
    const status = event.detail.ctx?.response?.status ?? 200;
    if (status === 403 && await renewToken()) return;
    if (status >= 500) tell(AWAY);
    else if ([400, 403, 404, 405, 410, 413, 429].includes(status)) tell(`A part of this page could not be shown anew (${status}): what stands here is as of before. Load the page anew.`);
    else tell("");
  });

  // Who has signed in anew in another tab has another token: the forms here get it, and keep what was
  // typed. Whether they had an older one.
  window.renewToken = async () => {
    const fields = [...document.querySelectorAll("[name=csrf_token]")];
    try {
      const answer = await fetch("/console/me", { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = page.querySelector("[name=csrf_token]")?.value;
      if (!token || fields.every((field) => field.value === token)) return false;
      for (const field of fields) field.value = token;
      return true;
    } catch { return false; }
  };

  // What a region has to say aloud, once each time that it changes.
  let said = "";
  document.addEventListener("htmx:after:swap", () => {
    const words = document.querySelector("[data-announce]")?.dataset.announce;
    if (words && words !== said) document.getElementById("announcer").textContent = said = words;
    count();
  });

  // Seconds until a launch, counted down between two looks at the server.
  const count = () => {
    for (const place of document.querySelectorAll("[data-until]")) {
      const seconds = Math.max(0, Math.ceil((Date.parse(place.dataset.until) - Date.now() + drift) / 1000));
      place.textContent = `${seconds} s`;
    }
  };
  const shown = document.querySelector("[data-now]");
  const drift = shown ? Date.now() - Date.parse(shown.dataset.now) : 0;
  setInterval(count, 250);

  // Buttons: what was pressed can not be pressed twice.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const button = event.submitter;
    if (button) setTimeout(() => button.setAttribute("aria-busy", "true"));
    setTimeout(() => button?.removeAttribute("aria-busy"), 4000);
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const text = copy.dataset.copy;
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else {
        const code = copy.parentElement.querySelector("code");
        getSelection().selectAllChildren(code);
        document.execCommand("copy");
      }
      document.getElementById("announcer").textContent = "Copied";
      copy.classList.add("is-copied");
      return;
    }
    const put = event.target.closest("[data-insert]");
    if (put) {
      const field = document.getElementById(put.dataset.into);
      field.setRangeText(put.dataset.insert, field.selectionStart, field.selectionEnd, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  // A file that is dropped on its field, or chosen, is read into the text beside it.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, async (event) => {
      const box = event.target.closest?.(".drop");
      if (!box) return;
      event.preventDefault();
      box.classList.toggle("is-over", kind === "dragover");
      const file = kind === "drop" && event.dataTransfer.files[0];
      if (file) box.querySelector("textarea").value = await file.text();
    });
  }

  // A condition of an audience offers the names, tests and values of what it asks for.
  const offer = (row) => {
    const kind = row.querySelector("[name=kind]").value, what = row.querySelector("[name=what]"), test = row.querySelector("[name=test]");
    what.setAttribute("list", `names-${kind}`);
    for (const group of test.querySelectorAll("optgroup")) group.hidden = group.disabled = !group.dataset.of.split(" ").includes(kind);
    if (test.selectedOptions[0]?.parentElement.disabled) test.value = test.querySelector("optgroup:not([disabled]) option").value;
    const value = row.querySelector("[name=value]"), bare = ["present", "missing", "anniversary", "did", "did_not"];
    value.setAttribute("list", `values-${kind === "trait" ? what.value : ""}`);
    value.hidden = kind === "campaign" || kind === "audience" || bare.includes(test.value);
    row.querySelector("[name=days]").hidden = kind !== "event";
  };
  const rows = document.querySelectorAll("[data-rule]");
  const tidy = () => {
    let hasEmpty = false;
    rows.forEach((row) => {
      const isEmpty = !row.querySelector("[name=what]").value;
      row.hidden = isEmpty && hasEmpty;
      hasEmpty ||= isEmpty;
    });
  };
  rows.forEach((row) => { offer(row); row.addEventListener("input", () => { offer(row); tidy(); }); });
  tidy();

  // Keys: / to search, g and a letter to go, Ctrl+Enter to save. Never while typing.
  const places = { h: "", c: "campaigns", p: "customers", a: "audiences", n: "connections", s: "settings" };
  let leads = false;
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field?.form) field.form.requestSubmit();
    if (field || event.ctrlKey || event.metaKey || event.altKey || root.dataset.keys === "off") return;
    if (leads && event.key in places) location.href = `/console/${places[event.key]}`;
    leads = event.key === "g";
    if (event.key === "/") {
      const search = document.querySelector('input[type="search"]');
      event.preventDefault();
      if (search) search.focus();
      else location.href = "/console/customers";
    }
  });

  // What was typed and not saved is not lost by a wrong click.
  const guarded = document.querySelector("form[data-guard]");
  if (guarded) {
    let isChanged = guarded.dataset.guard === "changed";
    guarded.addEventListener("input", () => { isChanged = true; });
    guarded.addEventListener("submit", () => { isChanged = false; });
    addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });
  }
})();
