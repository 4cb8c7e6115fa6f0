//! Whether changes are taken: not while, and after, another process is given the routes.

use std::sync::Arc;

use tokio::sync::watch;

/// Where a change waits until it is known who has the routes.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<Passage>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Open,
    /// Changes wait.
    Held,
    /// Another process has the routes.
    Gone,
}

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Passage::Open)))
    }
}

impl Gate {
    /// Waits while it is held; false if another process has the routes.
    pub(crate) async fn pass(&self) -> bool {
        let mut passage = self.0.subscribe();
        let known = passage.wait_for(|passage| *passage != Passage::Held).await;
        known.is_ok_and(|passage| *passage == Passage::Open)
    }

    /// Lets changes wait until the result is dropped, unless the routes have gone to another process by then.
    pub(crate) fn hold(&self) -> Held {
        self.0.send_replace(Passage::Held);
        Held(self.clone())
    }
}

/// The time in which changes wait.
#[derive(Debug)]
pub(crate) struct Held(Gate);

impl Held {
    /// Another process has the routes now.
    pub(crate) fn gone(self) {
        self.0.0.send_replace(Passage::Gone);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|passage| {
            let is_held = *passage == Passage::Held;
            if is_held {
                *passage = Passage::Open;
            }
            is_held
        });
    }
}
