// The composer: saves while one writes, keeps in the tab what can not be saved yet, and puts traits
// in. Without it the page saves by its buttons.
(() => {
  const form = document.getElementById("compose");
  if (!form) return;
  const SAVE_AFTER = 1500, TRY_AGAIN_AFTER = 5000;
  const OF_PAGE = new Set(["csrf_token", "updated_at", "campaign_id", "chance", "seen_by", "preview_for", "preview_language", "test_to", "new_language"]);
  const saved = () => document.getElementById("saved");
  const id = () => form.elements.campaign_id?.value || "new";
  const key = () => `clarion-draft-${id()}`;
  const announce = (words) => { document.getElementById("announcer").textContent = words; };
  const typed = () => [...new FormData(form)].filter(([name]) => !OF_PAGE.has(name));
  const print = (entries) => JSON.stringify(entries);

  let last = print(typed()); // what the server has
  let isChanged = form.dataset.typed === "changed";
  let timer = 0, underway = null, isLeaving = false;

  const keep = (isSent = false) => {
    try {
      sessionStorage.setItem(key(), print({ isSent, seen: form.elements.updated_at.value, entries: typed() }));
    } catch { /* a full or forbidden store: the server still has what was saved */ }
  };
  const forget = () => { try { sessionStorage.removeItem(key()); } catch { /* as above */ } };
  const say = (words, kind = "warn-text") => {
    saved().querySelector("p")?.remove();
    const line = document.createElement("p");
    line.className = `small ${kind}`;
    line.textContent = words;
    saved().append(line);
  };

  const save = async () => {
    clearTimeout(timer);
    if (underway || isLeaving || saved().dataset.state === "clash") return;
    const now = print(typed());
    if (now === last) { isChanged = false; forget(); return; }
    const was = key();
    underway = (async () => {
      try {
        const answer = await fetch("/console/campaigns/autosave", { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
        if (answer.status === 403 && await renewToken()) {
          timer = setTimeout(save);
          return;
        }
        const isSignedOut = answer.redirected || answer.status === 401;
        if (isSignedOut || ![200, 409, 422].includes(answer.status)) {
          say(isSignedOut ? "You are signed out. Sign in in another tab: what you typed is kept here, and saved then." : "It can not be saved now. What you typed is kept in this tab.");
          timer = setTimeout(save, TRY_AGAIN_AFTER);
          return;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        saved().replaceWith(page.getElementById("saved"));
        if (answer.status !== 200) {
          if (answer.status === 422) announce(saved().textContent.trim().slice(0, 200));
          return;
        }
        last = now;
        const name = form.elements.name.value.trim();
        document.querySelector("h1 bdi").textContent = name;
        document.title = `${name} · Campaigns · Clarion`;
        const path = saved().dataset.path;
        if (form.getAttribute("action") !== path) {
          form.setAttribute("action", path);
          history.replaceState(history.state, "", path);
          form.querySelector(".compose-bar [name=save]").textContent = "Save";
          try { sessionStorage.removeItem(was); } catch { /* as above */ }
        }
        if (print(typed()) === last) { isChanged = false; forget(); } else keep();
      } catch {
        say("Clarion does not answer. What you typed is kept in this tab, and saved as soon as it does.");
        timer = setTimeout(save, TRY_AGAIN_AFTER);
      }
    })();
    await underway;
    underway = null;
    if (!isLeaving && print(typed()) !== last && saved().dataset.state === "saved") later();
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(save, SAVE_AFTER); };

  form.addEventListener("input", (event) => {
    if (event.target.name && OF_PAGE.has(event.target.name)) return;
    isChanged = true;
    keep();
    later();
  });
  form.addEventListener("focusout", () => { if (isChanged && saved().dataset.state !== "clash") later(); });
  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    if (underway && !isLeaving) { // the saved line has the number that this must carry
      event.preventDefault();
      const button = event.submitter;
      await underway;
      isLeaving = true;
      form.requestSubmit(button);
      return;
    }
    isLeaving = true;
    isChanged = false;
    keep(true);
  });
  addEventListener("beforeunload", (event) => { if (isChanged && !isLeaving) event.preventDefault(); });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-forget]")) { forget(); isChanged = false; isLeaving = true; }
  });

  // What was typed before a reload, a way back or a sign-in, and not saved.
  const restore = () => {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(key())); } catch { /* nothing was kept */ }
    if (!kept || form.dataset.typed === "changed") return;
    // What was sent has arrived, unless somebody came back to this page from an error.
    const [way] = performance.getEntriesByType("navigation");
    if (print(kept.entries) === last || (kept.isSent && way?.type === "navigate")) return forget();
    const box = document.createElement("div");
    box.className = "notice warn";
    box.setAttribute("role", "status");
    const isOlder = kept.seen !== form.elements.updated_at.value;
    const words = document.createElement("p");
    words.textContent = isOlder
      ? "You had typed something here that was not kept by the server, and the draft has changed since. "
      : "What you had typed here and was not saved is back. ";
    const put = () => {
      const names = new Set(kept.entries.map(([name]) => name));
      for (const field of form.elements) {
        if (!field.name || OF_PAGE.has(field.name) || field.type === "submit") continue;
        if (field.type === "checkbox" || field.type === "radio") field.checked = kept.entries.some(([name, value]) => name === field.name && value === field.value);
        else if (names.has(field.name) && field.type !== "hidden") field.value = kept.entries.find(([name]) => name === field.name)[1];
      }
      form.dispatchEvent(new Event("input", { bubbles: true }));
      isChanged = true;
      later();
    };
    const button = (label, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "button small-button";
      made.textContent = label;
      made.addEventListener("click", act);
      words.append(made, " ");
    };
    if (isOlder) button("Show mine", () => { box.remove(); put(); });
    button(isOlder ? "Keep what is here" : "Throw it away", () => { forget(); isChanged = false; isLeaving = true; location.reload(); });
    box.append(words);
    form.before(box);
    if (!isOlder) put();
  };

  // Languages as tabs; without a script they stand below each other.
  const tabs = () => {
    const box = form.querySelector("[data-tabs]");
    const panels = [...box.querySelectorAll(":scope > [data-tab]")];
    box.querySelector("[role=tablist]")?.remove();
    const select = form.elements.preview_language; // it stands outside of what was swapped
    const was = select.value;
    select.replaceChildren(select.options[0], ...panels.slice(1).map((panel) => new Option(panel.dataset.label, panel.dataset.tab)));
    select.value = panels.some((panel) => panel.dataset.tab === was) ? was : "";
    select.parentElement.hidden = panels.length < 2;
    if (panels.length < 2) { panels.forEach((panel) => { panel.hidden = false; }); return; }
    const list = document.createElement("div");
    list.className = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Languages");
    const show = (tag, isChosen) => {
      panels.forEach((panel, place) => {
        const is = panel.dataset.tab === tag;
        panel.hidden = !is;
        list.children[place].setAttribute("aria-selected", is);
        list.children[place].tabIndex = is ? 0 : -1;
      });
      if (isChosen && select.value !== tag) {
        select.value = tag;
        select.dispatchEvent(new Event("input", { bubbles: true }));
      }
    };
    panels.forEach((panel, place) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.id = `tab-${panel.dataset.tab || "all"}`;
      tab.setAttribute("role", "tab");
      panel.id ||= `panel-${panel.dataset.tab || "all"}`;
      tab.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.removeAttribute("aria-label");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.textContent = panel.dataset.label + (panel.querySelector("[aria-invalid]") ? " ✕" : "");
      tab.addEventListener("click", () => show(panel.dataset.tab, true));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = panels[(place + step + panels.length) % panels.length];
        show(next.dataset.tab, true);
        list.querySelector("[aria-selected=true]").focus();
      });
      list.append(tab);
    });
    box.prepend(list);
    const wrong = panels.find((panel) => panel.querySelector("[aria-invalid]"));
    const added = panels.find((panel) => panel.dataset.tab && panel.dataset.tab.toLowerCase() === box.dataset.tabs.toLowerCase());
    show((wrong || added || panels[0]).dataset.tab, false);
  };
  document.addEventListener("htmx:after:swap", () => {
    const devices = document.getElementById("reach").dataset.devices;
    if (devices) document.getElementById("review-number").textContent = ` ${devices}`;
    const box = form.querySelector("[data-tabs]");
    if (!box.querySelector("[role=tablist]") && box.children.length > 1) { tabs(); keep(); isChanged = true; later(); }
  });

  // A link to a field opens what hides it.
  addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#f-"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    for (let up = field; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    const panel = field.closest("[data-tab]");
    if (panel?.hidden) document.getElementById(`tab-${panel.dataset.tab || "all"}`).click();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });

  // The picker: a trait is put in with what stands there for who has none.
  let lastField = null;
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("input[type=text], input[type=url], textarea") && event.target.name && !OF_PAGE.has(event.target.name)) lastField = event.target;
  });
  form.addEventListener("click", (event) => {
    const another = event.target.closest("[data-another]");
    if (another) {
      event.preventDefault();
      form.elements.chance.value = Math.random();
      another.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    const put = event.target.closest("[data-put]");
    if (!put) return;
    const box = put.closest(".picker");
    const [trait, fallback] = ["trait", "fallback"].map((name) => box.querySelector(`[data-picker=${name}]`));
    const field = put.dataset.put ? document.getElementById(put.dataset.put) : lastField || document.getElementById("f-body");
    const isWhole = trait.value.trim() && fallback.value.trim();
    document.getElementById("p-fault").hidden = Boolean(isWhole);
    for (const one of [trait, fallback]) one.setAttribute("aria-invalid", !one.value.trim());
    if (!isWhole) { (trait.value.trim() ? fallback : trait).focus(); return; }
    const path = trait.value.trim();
    const name = /^[A-Za-z_][\w.]*$/.test(path) ? `customer.${path}` : `customer["${path.replaceAll('"', "")}"]`;
    field.setRangeText(`{{ ${name} | default: "${fallback.value.trim().replaceAll('"', "”")}" }}`, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.closest("[data-picker]")) {
      event.preventDefault();
      event.target.closest(".picker").querySelector("[data-put]").click();
    }
  });

  // Emoji go where one was writing. Arrow keys lead through them; Escape leads back.
  const signs = () => [...document.querySelectorAll("[data-emoji] button")];
  form.addEventListener("toggle", (event) => {
    if (event.target.matches?.("[data-emoji]") && event.newState === "open") signs().find((sign) => sign.tabIndex === 0).focus();
  }, true);
  form.addEventListener("click", (event) => {
    const sign = event.target.closest("[data-emoji] button");
    if (!sign) return;
    const field = lastField?.isConnected && lastField.type !== "url" ? lastField : document.getElementById("f-body");
    sign.closest("[data-emoji]").hidePopover();
    field.setRangeText(sign.textContent, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("keydown", (event) => {
    const sign = event.target.closest("[data-emoji] button");
    if (!sign) return;
    const all = signs(), place = all.indexOf(sign);
    const inRow = all.filter((one) => one.offsetTop === sign.offsetTop).length;
    const to = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: inRow, ArrowUp: -inRow, Home: -place, End: all.length - 1 - place }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(place + to, 0), all.length - 1)];
    sign.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  // The picture, as this browser gets it: the server fetches nothing.
  let tried = "";
  const look = (image) => {
    if (!image.matches?.("#previews .push img")) return;
    const isBroken = image.complete && !image.naturalWidth;
    if (isBroken && !image.classList.contains("broken")) {
      image.classList.add("broken");
      const place = document.createElement("p");
      place.className = "picture-missing";
      place.textContent = "The picture does not load";
      image.after(place);
    }
    const line = document.getElementById("picture-said");
    if (!line || image.getAttribute("src") !== document.getElementById("f-image").value.trim()) return;
    const wide = image.naturalWidth, high = image.naturalHeight, size = `${wide} × ${high}`;
    const [kind, words] = isBroken
      ? ["warn-text", "It does not load here: open the address in another tab. It must begin with https, need no sign-in, and be a JPEG, PNG or GIF."]
      : wide < 300 ? ["warn-text", `It loads, and is small: ${size}. At 600 × 300 or more it looks sharp.`]
      : wide / high < 1.5 || wide / high > 2.7 ? ["warn-text", `It loads: ${size}. Phones cut it to about 2:1, such as 1024 × 512.`]
      : ["ok-text", `It loads: ${size}.`];
    tried = image.src;
    line.className = `small ${kind}`;
    if (line.textContent !== words) line.textContent = words;
  };
  const lookAtAll = () => {
    const images = [...document.querySelectorAll("#previews .push img")];
    const line = document.getElementById("picture-said");
    if (line && (!images.length || !images.some((image) => image.src === tried))) line.textContent = "";
    images.filter((image) => image.complete).forEach(look);
  };
  for (const kind of ["load", "error"]) document.addEventListener(kind, (event) => look(event.target), true);
  document.addEventListener("htmx:after:swap", lookAtAll);

  tabs();
  restore();
  lookAtAll();
})();
