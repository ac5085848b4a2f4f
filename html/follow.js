// Whether the end of the conversation is followed. What somebody is reading never moves: new messages pull the list
// along only if its end is in sight; otherwise a button counts them.
// Knows heights and one button; must never know what the list is made of.
"use strict";

(() => {
  // Within this distance people think they are at the end: less than two messages.
  const NEAR_PX = 100;

  class Follower {
    #scroller;
    #button;
    #onEnd;
    #beforeSettle;
    #following = true;
    #unseen = 0;
    #lastTop = 0;
    #planned = false;

    // `onEnd` is told whenever the end comes into sight; `beforeSettle` may shorten the list before it is pulled.
    constructor(scroller, button, { onEnd, beforeSettle }) {
      this.#scroller = scroller;
      this.#button = button;
      this.#onEnd = onEnd;
      this.#beforeSettle = beforeSettle;
      scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
      button.addEventListener("click", () => this.toEnd());
      // A window that shrinks, or a phone's keyboard that opens, must not hide the end.
      new ResizeObserver(() => this.#following && this.#settle()).observe(scroller);
    }

    get following() {
      return this.#following;
    }

    // Lines were added; so many of them are messages of others.
    grew(messages = 0) {
      if (this.#following) this.#settle();
      else this.#count(this.#unseen + messages);
    }

    toEnd() {
      this.#following = true;
      this.#settle();
      this.#reachedEnd();
    }

    // For leaving one list and coming back to it.
    save() {
      return { following: this.#following, unseen: this.#unseen, top: this.#scroller.scrollTop };
    }

    restore({ following, unseen, top } = { following: true, unseen: 0, top: 0 }) {
      this.#following = following;
      this.#lastTop = top;
      this.#count(unseen);
      if (following) this.#settle();
      else this.#scroller.scrollTop = top;
    }

    // Once per frame, however many lines arrived: measuring the page for each would make it crawl.
    #settle() {
      if (this.#planned) return;
      this.#planned = true;
      requestAnimationFrame(() => {
        this.#planned = false;
        if (!this.#following) return;
        this.#beforeSettle();
        this.#scroller.scrollTop = this.#scroller.scrollHeight;
        this.#lastTop = this.#scroller.scrollTop;
      });
    }

    // Only somebody who scrolls up stops following: growth alone also takes the end out of sight for a moment.
    #scrolled() {
      const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
      const near = scrollHeight - scrollTop - clientHeight <= NEAR_PX;
      const up = scrollTop < this.#lastTop;
      this.#lastTop = scrollTop;
      if (near) {
        this.#following = true;
        this.#reachedEnd();
      } else if (up) {
        this.#following = false;
      }
    }

    #reachedEnd() {
      this.#count(0);
      this.#onEnd();
    }

    #count(unseen) {
      this.#unseen = unseen;
      this.#button.hidden = unseen === 0;
      if (unseen > 0) this.#button.textContent = Papo.words.newMessages(unseen);
    }
  }

  Papo.Follower = Follower;
})();
