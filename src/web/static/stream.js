// The stream that tells a page when there is something new to see, and what people read while the hub cannot be reached.

import { h } from "./dom.js";
import { t } from "./texts.js";

const PATIENCE_MS = 4000; // a connection may be away that long before anybody is told
const LONGEST_MS = 30000; // between two attempts to get a stream where there is none
const PAUSE_MS = 1000; // between two looks at what has changed
const SPREAD_MS = 300; // not all pages look at the same moment

/** Says that what is shown may be old, or no longer. */
export function connection(text) {
  let bar = document.querySelector(".connection");
  if (!bar && text) {
    bar = h("p", { class: "connection", role: "status" });
    document.querySelector("header").before(bar);
  }
  if (bar) {
    bar.textContent = text;
    bar.hidden = !text;
  }
}

/**
 * Listens to the stream at `url()` and has `look(version)` called for what it tells: one call at a time, at most one a
 * second, and none while nobody sees the page. Where there is no stream, `look()` is called now and then.
 */
export class Stream {
  constructor(url, look) {
    Object.assign(this, { url, look, before: 0, failures: 0 });
    this.open();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  // browsers open few connections to one host: pages that nobody sees have none
  close() {
    this.events?.close();
    [this.late, this.due, this.retry].forEach(clearTimeout);
    this.events = this.late = this.due = this.retry = undefined;
  }

  /** For good. */
  end() {
    this.ended = true;
    this.close();
  }

  /** Listens at another address. */
  reopen() {
    this.close();
    this.open();
  }

  open() {
    if (this.events || this.ended || document.hidden) {
      return;
    }
    clearTimeout(this.retry);
    const events = new EventSource(this.url());
    this.events = events;
    events.addEventListener("message", (event) => {
      this.reached();
      this.version = event.data;
      this.plan();
    });
    events.addEventListener("open", () => this.reached());
    events.addEventListener("error", () => {
      this.lost();
      if (events.readyState === EventSource.CLOSED && this.events === events) {
        this.events = undefined;
        // signed out, or a hub that is restarting answers otherwise
        this.version = undefined;
        this.plan();
        this.retry = setTimeout(() => this.open(), Math.min(PATIENCE_MS * 2 ** this.failures, LONGEST_MS));
        this.failures += 1;
      }
    });
  }

  reached() {
    clearTimeout(this.late);
    this.late = undefined;
    this.failures = this.events ? 0 : this.failures;
    connection("");
  }

  lost() {
    this.late ??= setTimeout(() => connection(t("connection-lost")), PATIENCE_MS);
  }

  plan(pause = PAUSE_MS) {
    if (this.due || this.looking || this.ended || document.hidden) {
      return;
    }
    const wait = Math.max(0, this.before + pause - Date.now()) + Math.random() * SPREAD_MS;
    this.due = setTimeout(() => this.act(), wait);
  }

  async act() {
    const { version } = this;
    [this.due, this.looking, this.before] = [undefined, true, Date.now()];
    let pause = PAUSE_MS;
    let again = false;
    try {
      await this.look(version);
      if (!this.ended) {
        this.reached();
      }
    } catch {
      this.lost();
      pause = PATIENCE_MS;
      again = true;
    }
    this.looking = false;
    if (again || this.version !== version) {
      this.plan(pause);
    }
  }
}
