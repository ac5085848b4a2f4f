// Whether the end of the conversation is followed. What somebody is reading never moves: new messages pull the list
// along only if its end is in sight; otherwise a button counts them. Never knows what the list is made of.
"use strict";

(() => {
	const { words } = Papo;
	const { find } = Papo.dom;
	// Within this distance people think they are at the end: less than two messages.
	const NEAR_PX = 100;

	const [box, button] = [find("conversa"), find("novas")];
	let [following, unseen, lastTop] = [true, 0, 0];

	// The page says what these do: the end came into sight; is the end of the list the end of the conversation; a later
	// part of the log is needed, or its latest.
	const hooks = { onEnd() {}, isLive: () => true, onLater() {}, onLatest() {} };

	function showButton() {
		const live = hooks.isLive();
		button.hidden = unseen === 0 && live;
		if (!button.hidden) Papo.dom.say(button, unseen > 0 ? words.newMessages(unseen) : words.backToTalk);
	}

	function settle() {
		if (following) box.scrollTop = box.scrollHeight;
		lastTop = box.scrollTop;
		showButton();
	}

	function reachedEnd() {
		following = true;
		unseen = 0;
		showButton();
		hooks.onEnd();
	}

	// Only somebody who scrolls up stops following: growth alone also takes the end out of sight for a moment.
	function scrolled() {
		const near = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_PX;
		const up = box.scrollTop < lastTop;
		lastTop = box.scrollTop;
		if (near && hooks.isLive()) reachedEnd();
		else if (near) hooks.onLater();
		else if (up) following = false;
	}

	function toEnd() {
		if (!hooks.isLive()) hooks.onLatest();
		following = true;
		settle();
		reachedEnd();
	}

	// Makes a change above or below without moving what is in sight.
	function keepPlace(change) {
		const top = box.getBoundingClientRect().top;
		const inSight = [...box.querySelectorAll(".timeline:not([hidden]) article")];
		const anchor = following ? null : inSight.find((node) => node.getBoundingClientRect().top >= top);
		const before = anchor?.getBoundingClientRect().top;
		change();
		if (anchor) box.scrollTop += anchor.getBoundingClientRect().top - before;
		settle();
	}

	// Puts a place of the list in the middle and makes it blink once.
	function lead(node) {
		following = false;
		node.scrollIntoView({ block: "center" });
		settle();
		node.classList.add("flash");
		node.addEventListener("animationend", () => node.classList.remove("flash"), { once: true });
		node.focus({ preventScroll: true });
	}

	// For leaving one list and coming back to it.
	const save = () => ({ following, unseen, top: box.scrollTop });

	function restore(place = { following: true, unseen: 0, top: 0 }) {
		({ following, unseen } = place);
		box.scrollTop = place.top;
		settle();
	}

	function count(messages) {
		if (!following) unseen += messages;
		showButton();
	}

	box.addEventListener("scroll", scrolled, { passive: true });
	button.addEventListener("click", toEnd);
	// A window that shrinks, or a phone's keyboard that opens, must not hide the end.
	new ResizeObserver(settle).observe(box);

	Papo.follow = { box, hooks, settle, toEnd, keepPlace, lead, save, restore, count, isFollowing: () => following };
})();
