//! Requests and answers in transit: one task a client connection, all on its worker's thread.
//!
//! Reads go into the worker's scratch buffer and, where nothing holds them up, from there straight into the other socket;
//! only what a peer does not take yet is kept with the connection. An idle connection, or tunnel, holds no buffer.

pub(crate) mod answer;
pub(crate) mod clock;
pub(crate) mod connection;
pub(crate) mod exchange;
pub(crate) mod fault;
pub(crate) mod outbox;
pub(crate) mod own;
pub(crate) mod page;
pub(crate) mod pump;
pub(crate) mod request;
pub(crate) mod slot;
pub(crate) mod tunnel;
pub(crate) mod worker;
