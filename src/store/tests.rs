//! The store as a whole: opening, transactions, concurrency, and what a deletion takes along.

mod cascades;
mod opening;
mod transactions;
mod way_back;
