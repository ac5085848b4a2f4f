//! Random numbers that come again with the same seed.

use std::time::Duration;

/// A generator that prints its seed when its test fails; `PAPO_PROVA_SEMENTE` sets it.
pub struct Rng {
    seed: u64,
    inner: fastrand::Rng,
}

impl Rng {
    /// A generator with the seed that was asked for, or with a new one.
    pub fn new() -> Self {
        let asked = std::env::var("PAPO_PROVA_SEMENTE")
            .ok()
            .and_then(|seed| seed.parse().ok());
        Self::seeded(asked.unwrap_or_else(|| fastrand::u64(..)))
    }

    fn seeded(seed: u64) -> Self {
        Self {
            seed,
            inner: fastrand::Rng::with_seed(seed),
        }
    }

    /// Another generator, for another thread. It prints the seed of this one.
    pub fn fork(&mut self) -> Self {
        Self {
            seed: self.seed,
            inner: self.inner.fork(),
        }
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.inner.usize(..bound.max(1))
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.inner.u8(..)
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// A duration up to this many milliseconds.
    pub fn up_to_ms(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.inner.u64(..(most * 1000).max(1)))
    }
}

impl Drop for Rng {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("The same numbers again: PAPO_PROVA_SEMENTE={}", self.seed);
        }
    }
}
