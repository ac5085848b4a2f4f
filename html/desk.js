// Which rooms are open and which of them is on the screen: each with its list, its place in it and its draft.
// Knows rooms and the views that show them; never sockets or what the server says.
"use strict";

{
const { words, Room, follow, panels, composer } = Papo;
const { find, on, say, perFrame } = Papo.dom;
const { fold } = Papo.names;
// Earlier messages are fetched before the beginning of the list comes into sight.
const AHEAD = "600px 0px 0px 0px";

const places = new Map();
const ends = new IntersectionObserver(
	(seen) => desk.current && seen.some((each) => each.isIntersecting) && hooks.earlier(desk.current),
	{ root: follow.box, rootMargin: AHEAD },
);
// {onRetry, onDiscard} of refused messages; {earlier, later, latest}(room) bring parts of the log; `onShow(room)`.
const hooks = {};
const desk = { hooks, me: { name: "", tag: "" }, current: null };

const rooms = () => Array.from(places.values(), ({ room }) => room);
const named = (name) => places.get(fold(name))?.room;
const listOf = (room) => places.get(room.key).list;
const isLive = (room) => listOf(room).end >= room.last;
const follows = (room) =>
	(room === desk.current ? follow.isFollowing() : (places.get(room.key)?.place?.following ?? true));

const drawTyping = () => say(find("digitando"), (desk.current && words.typing(desk.current.typing)) || "");

const refresh = perFrame(() => {
	if (desk.current) panels.showPeople(desk.current, desk.me);
	panels.showRooms(rooms(), desk.current);
	Papo.alerts.showUnread(rooms().reduce((sum, room) => sum + room.unread, 0));
	drawTyping();
});

function seen() {
	if (desk.current && !document.hidden && follow.isFollowing()) Object.assign(desk.current, { unread: 0, mentions: 0 });
	refresh();
}

function ensure(name) {
	if (named(name)) return named(name);
	const room = new Room(name);
	const list = Papo.timeline({
		...hooks,
		onEarlier: () => hooks.earlier(room),
		follows: () => follows(room),
		onDrawn: () => room === desk.current && follow.settle(),
		keepPlace: (change) => (room === desk.current ? follow.keepPlace(change) : change()),
	});
	list.element.hidden = true;
	follow.box.append(list.element);
	places.set(room.key, { room, list });
	watch(room);
	if (desk.current === null) show(room);
	return room;
}

function show(room) {
	if (room === desk.current) return;
	// Changing lists is not news: a screen reader shall not read all of it.
	follow.box.setAttribute("aria-busy", "true");
	if (desk.current) {
		places.get(desk.current.key).place = follow.save();
		listOf(desk.current).element.hidden = true;
	}
	desk.current = room;
	listOf(room).element.hidden = false;
	listOf(room).flush();
	follow.restore(places.get(room.key).place);
	composer.open(room.key);
	hooks.onShow(room);
	seen();
	setTimeout(() => follow.box.setAttribute("aria-busy", "false"));
}

function step(by) {
	const all = rooms();
	if (all.length > 1) show(all.at((all.indexOf(desk.current) + by) % all.length));
}

function close(room) {
	listOf(room).element.remove();
	places.delete(room.key);
	if (room === desk.current) desk.current = null;
	if (desk.current === null && places.size > 0) show(rooms()[0]);
	refresh();
}

function clear() {
	desk.current = null;
	rooms().forEach((room) => listOf(room).element.remove());
	places.clear();
	follow.restore();
	refresh();
}

function arrived(room, { seq, count = 1, forMe = false }) {
	if (room === desk.current) follow.count(count);
	if (room === desk.current && !document.hidden && follow.isFollowing()) return;
	if (seq) listOf(room).markUnread(seq);
	room.unread += count;
	room.mentions += forMe ? 1 : 0;
	refresh();
}

// The beginning of a list may still be in sight after it grew: the observer tells again.
function watch(room) {
	const list = listOf(room);
	list.showEarlier(list.first > room.oldest);
	ends.unobserve(list.top);
	ends.observe(list.top);
}

Object.assign(follow.hooks, {
	onEnd: seen,
	isLive: () => !desk.current || isLive(desk.current),
	onLater: () => hooks.later(desk.current),
	onLatest: () => hooks.latest(desk.current),
});
on(document, "visibilitychange", seen);

Papo.desk = Object.assign(desk, {
	rooms, find: named, listOf, isLive, follows, ensure, show, step, close, clear, arrived, refresh, watch, drawTyping,
	note: (text) => desk.current && listOf(desk.current).note(text),
	list: () => listOf(desk.current),
	refreshDays: () => rooms().forEach((room) => listOf(room).refreshDays()),
});
}
