// Entries of the log that change earlier ones.
"use strict";
{
const isChange = ({ edits, erases }) => Boolean(edits || erases?.length);

// The entry as it is after a later one; the same object if that one does not concern it.
function changedBy(entry, { seq, edits, erases, text, people, forMe }) {
	if (entry.seq >= seq || isChange(entry) || entry.erased) return entry;
	if (erases?.includes(entry.seq)) return { ...entry, text: "", forMe: false, erased: true };
	return edits === entry.seq && text ? { ...entry, text, people, forMe, edited: true } : entry;
}

Papo.changes = { isChange, changedBy };
}
