// Brings what changed into the page when the server says that something did. Without this script the page is the same,
// as it was when it was loaded. The same file is the worker that the open pages of a browser share: one stream for all
// of them, as a browser makes no more than six connections to a server, and a seventh page would wait for ever.
"use strict";
(() => {
  const LOST = "lost";
  const AGAIN_MS = 10000;

  // Hears what the server shows now, at once and after each change, or LOST. Gives the way to end it.
  const listen = (address, hear) => {
    let source, timer = 0;
    const connect = () => {
      source = new EventSource(address);
      source.addEventListener("change", (event) => hear(event.data));
      source.onerror = () => {
        hear(LOST);
        // An answer that is no stream, as of a proxy whose server is away: a browser does not ask again by itself.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, AGAIN_MS);
      };
    };
    connect();
    return () => { clearTimeout(timer); source.close(); };
  };

  if (!self.document) {
    const pages = new Set();
    let end = null, latest = "";
    const tell = (word) => { latest = word; for (const page of pages) page.postMessage(word); };
    self.onconnect = ({ ports: [page] }) => {
      page.onmessage = ({ data: address }) => {
        if (address) pages.add(page); else pages.delete(page);
        if (address && end && latest) page.postMessage(latest);
        if (pages.size && !end) end = listen(address, tell);
        if (!pages.size && end) { end(); end = null; latest = ""; }
      };
    };
    return;
  }

  const word = document.getElementById("live");
  const root = document.documentElement;
  if (!word || !window.EventSource || !document.querySelector("[data-live]")) return;
  const address = new URL(root.dataset.base + "live", location.href).href;
  const BYTES_PER_MS = 50; // a large page is fetched less often
  let seen = root.dataset.seen, least = 2000, last = 0, timer = 0, busy = false, spared = false;

  const say = (text) => { if (word.textContent !== text) word.textContent = text; };

  const plan = () => {
    if (!timer) timer = setTimeout(bring, Math.max(busy ? 500 : 0, least - (Date.now() - last)));
  };

  const bring = async () => {
    timer = 0;
    if (document.hidden) return; // told again when it is seen
    if (busy) { plan(); return; }
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      least = Math.max(2000, text.length / BYTES_PER_MS);
      const fresh = new DOMParser().parseFromString(text, "text/html");
      swap(fresh);
      seen = fresh.documentElement.dataset.seen;
      say("Live");
    } catch {
      say("Not live: the server did not answer");
      last = Date.now() + AGAIN_MS;
      plan();
    } finally {
      busy = false;
    }
  };

  // Only what differs is put in, so that focus, selection and an open list stay where they are. A part that has the
  // focus is spared until it has not.
  const swap = (fresh) => {
    const now = [...document.querySelectorAll("[data-live]")];
    const next = [...fresh.querySelectorAll("[data-live]")];
    const same = now.length === next.length && now.every((element, i) => element.id === next[i].id);
    spared = false;
    if (!same) {
      const held = document.activeElement?.closest("[id]")?.id;
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      const again = held && document.getElementById(held);
      (again?.matches("a") ? again : again?.querySelector("a"))?.focus({ preventScroll: true });
    } else {
      now.forEach((element, i) => {
        if (element.outerHTML === next[i].outerHTML) return;
        if (element.contains(document.activeElement)) spared = true; else element.replaceWith(next[i]);
      });
    }
    document.title = fresh.title;
  };

  const hear = (told) => {
    say(told === LOST ? "Not live: connecting again" : "Live");
    if (told !== LOST && told !== seen) plan();
  };

  // Listens while the page is seen: over the shared worker, or where a browser has none, by itself.
  let end = null;
  const alone = (to) => { end?.(); end = to ? listen(to, hear) : null; };
  let ask = alone;
  const attend = () => ask(document.hidden ? "" : address);
  if (window.SharedWorker) {
    const worker = new SharedWorker(document.currentScript.src);
    worker.port.onmessage = ({ data: told }) => hear(told);
    worker.onerror = () => { ask = alone; attend(); };
    ask = (to) => worker.port.postMessage(to);
  }
  document.addEventListener("visibilitychange", attend);
  addEventListener("pagehide", () => ask(""));
  addEventListener("pageshow", attend);
  document.addEventListener("focusout", () => { if (spared) plan(); });
})();
