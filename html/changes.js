"use strict";
{
const isChange = ({ edits, erases }) => Boolean(edits || erases?.length);

function changedBy(entry, { seq, edits, erases, text, people, forMe }) {
	if (entry.seq >= seq || isChange(entry) || entry.erased) return entry;
	if (erases?.includes(entry.seq)) return { ...entry, text: "", forMe: false, erased: true };
	return edits === entry.seq && text ? { ...entry, text, people, forMe, edited: true } : entry;
}

Papo.changes = { isChange, changedBy };
}
