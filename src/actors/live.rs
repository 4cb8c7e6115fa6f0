//! A setting that a reload of the configuration may change while the hub runs.
//!
//! Whoever needs it reads it anew each time with [`Live::now`] and never keeps it; what one reading gave stays whole, so
//! that a decision is made with one state of the configuration.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// A setting that may change. A clone sees every change.
#[derive(Debug)]
pub struct Live<T>(Arc<ArcSwap<T>>);

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Live<T> {
    /// A setting that has this value at first.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(value)))
    }

    /// What it is now.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Gives it another value.
    pub fn set(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

impl<T: Default> Default for Live<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_sees_a_change_and_what_was_read_stays() {
        let setting = Live::new(1);
        let (clone, read) = (setting.clone(), setting.now());
        setting.set(2);
        assert_eq!((*read, *clone.now()), (1, 2));
    }
}
