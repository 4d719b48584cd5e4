// Brings what changed into the page when the server says that something did. Without this script the page is the same,
// as it was when it was loaded.
"use strict";
(() => {
  const word = document.getElementById("live");
  const base = document.documentElement.dataset.base;
  if (!word || !window.EventSource || !document.querySelector("[data-live]")) return;
  const BYTES_PER_MS = 50; // a large page is fetched less often
  let least = 2000, last = 0, timer = 0, busy = false;

  const say = (text) => { if (word.textContent !== text) word.textContent = text; };

  const bring = async () => {
    timer = 0;
    if (busy || document.hidden) return;
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      least = Math.max(2000, text.length / BYTES_PER_MS);
      swap(new DOMParser().parseFromString(text, "text/html"));
      say("Live");
    } catch {
      say("Not live: the server did not answer");
    } finally {
      busy = false;
    }
  };

  // Only what differs is put in, so that focus, selection and an open list stay where they are.
  const swap = (fresh) => {
    const now = [...document.querySelectorAll("[data-live]")];
    const next = [...fresh.querySelectorAll("[data-live]")];
    const same = now.length === next.length && now.every((element, i) => element.id === next[i].id);
    if (!same) {
      const held = document.activeElement?.id;
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      if (held) document.getElementById(held)?.focus({ preventScroll: true });
    } else {
      now.forEach((element, i) => {
        if (element.outerHTML !== next[i].outerHTML && !element.contains(document.activeElement)) {
          element.replaceWith(next[i]);
        }
      });
    }
    document.title = fresh.title;
  };

  const source = new EventSource(base + "live");
  source.onopen = () => say("Live");
  source.onerror = () => say("Not live: connecting again");
  source.addEventListener("change", () => {
    if (!timer) timer = setTimeout(bring, Math.max(0, least - (Date.now() - last)));
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !timer) timer = setTimeout(bring, 0); });
})();
