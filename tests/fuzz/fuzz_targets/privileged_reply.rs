//! Everything else that hub, launch, session and keeper read of each other: nothing panics, and each has one form only.
#![no_main]

use orrery_wire::control::{Ask, News};
use orrery_wire::{Answer, ExitRecord, Reply, Ticket, handover};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = Reply::decode(bytes) {
        assert_eq!(reply.encode(), bytes);
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode(), bytes);
    }
    if let Ok(ask) = Ask::decode(bytes) {
        assert_eq!(ask.encode(), bytes);
    }
    if let Ok(news) = News::decode(bytes) {
        assert_eq!(news.encode(), bytes);
    }
    if let Ok(record) = ExitRecord::decode(bytes) {
        assert_eq!(record.encode(), bytes);
    }
    if let Some(ticket) = Ticket::decode(bytes) {
        assert_eq!(ticket.encode(), bytes);
    }
    let _ = handover::decode(bytes);
});
