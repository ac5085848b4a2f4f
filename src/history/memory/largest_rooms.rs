//! The rooms by size, so that one of the largest is found in constant time.
//!
//! Sizes are put into classes, eight for each power of two. Rooms of one class count as equally large: the room that is
//! found is at most an eighth smaller than the largest. An exact order would cost every append a search among all rooms.

use indexmap::IndexSet;
use std::sync::Arc;

/// Classes for each power of two, as bits.
const STEP_BITS: u32 = 3;
/// One class for each size that a `usize` can have.
const CLASSES: usize = (usize::BITS as usize) << STEP_BITS;
const WORD_BITS: usize = u64::BITS as usize;

/// The rooms that may shrink, by their keys.
pub(super) struct LargestRooms {
    /// The rooms of each class.
    classes: Vec<IndexSet<Arc<str>>>,
    /// One bit for each class, set while it has rooms.
    occupied: [u64; CLASSES / WORD_BITS],
}

impl LargestRooms {
    pub(super) fn new() -> Self {
        Self {
            classes: vec![IndexSet::new(); CLASSES],
            occupied: [0; CLASSES / WORD_BITS],
        }
    }

    /// Moves a room from one size in bytes to another; `None` when it is not to be found.
    pub(super) fn resize(&mut self, room: &Arc<str>, from: Option<usize>, to: Option<usize>) {
        let (from, to) = (from.map(class_of), to.map(class_of));
        if from == to {
            return;
        }
        if let Some(class) = from {
            self.classes[class].swap_remove(room);
            if self.classes[class].is_empty() {
                self.occupied[class / WORD_BITS] &= !bit_of(class);
            }
        }
        if let Some(class) = to {
            self.classes[class].insert(room.clone());
            self.occupied[class / WORD_BITS] |= bit_of(class);
        }
    }

    /// A room of the highest class.
    pub(super) fn largest(&self) -> Option<&Arc<str>> {
        let word = self.occupied.iter().rposition(|&word| word != 0)?;
        let class = word * WORD_BITS + self.occupied[word].ilog2() as usize;
        self.classes[class].last()
    }
}

/// The class of a size: its highest bit and the [`STEP_BITS`] bits below.
fn class_of(bytes: usize) -> usize {
    let bytes = bytes.max(1 << STEP_BITS);
    let exponent = bytes.ilog2();
    let steps = (bytes >> (exponent - STEP_BITS)) & ((1 << STEP_BITS) - 1);
    ((exponent as usize) << STEP_BITS) | steps
}

fn bit_of(class: usize) -> u64 {
    1 << (class % WORD_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_is_at_most_an_eighth_wide_and_rises_with_size() {
        let mut before = (0, 0);
        for bytes in (8..100_000).chain([usize::MAX / 2, usize::MAX]) {
            let class = class_of(bytes);
            assert!(class >= before.0 && class < CLASSES, "{bytes}");
            if class > before.0 {
                before = (class, bytes);
            }
            assert!((bytes - before.1) * 8 <= before.1, "{bytes}");
        }
    }

    #[test]
    fn largest_room_is_found_after_any_change() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut largest_rooms = LargestRooms::new();
        let rooms: Vec<Arc<str>> = (0..50).map(|n| format!("sala {n}").into()).collect();
        let mut sizes = vec![None; rooms.len()];
        for _ in 0..10_000 {
            let number = rng.usize(..rooms.len());
            let size = rng
                .bool()
                .then(|| 1 << rng.u32(4..30))
                .map(|max| rng.usize(8..max));
            largest_rooms.resize(&rooms[number], sizes[number], size);
            sizes[number] = size;
            let found = largest_rooms.largest();
            let found = found.and_then(|found| rooms.iter().position(|room| room == found));
            let size_found = found.and_then(|number| sizes[number]);
            let largest = sizes.iter().copied().max().flatten();
            assert_eq!(size_found.map(class_of), largest.map(class_of));
        }
    }
}
