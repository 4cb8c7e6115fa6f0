//! SEC-076: without a ticket of that user's own, of this boot and its time, nothing is started as anybody.

use std::fs;

use orrery_wire::{Facts, Refusal, Request, paths};

use crate::stage::{ADA, KEY, POLICY, Stage, facts, file, mode, now, on_stage, start_with, ticket};

fn with_ticket(ticket: Vec<u8>) -> Request {
    start_with(|start| start.ticket = ticket)
}

fn refused(stage: &Stage, facts: &Facts) -> Refusal {
    stage.ask(&with_ticket(ticket(facts, &KEY))).refusal()
}

#[test]
fn sec_076_a_good_ticket_starts_a_server_and_says_so() {
    on_stage(|stage| {
        let report = stage.ask(&with_ticket(ticket(&facts(), &KEY))).report();
        assert!(report.lines().any(|line| line.starts_with("parcel=") && line.ends_with("01")), "{report}");
    });
}

#[test]
fn sec_076_a_ticket_that_is_forged_changed_cut_or_of_somebody_else_is_refused() {
    on_stage(|stage| {
        let good = ticket(&facts(), &KEY);
        assert_eq!(stage.ask(&with_ticket(ticket(&facts(), &[8; 32]))).refusal(), Refusal::TicketForged);
        assert_eq!(refused(stage, &Facts { uid: ADA + 1, ..facts() }), Refusal::TicketForged);
        for (what, at) in [
            ("version", 0),
            ("uid", 4),
            ("issued", 12),
            ("expires", 20),
            ("nonce", 40),
            ("code", 60),
            ("end", 84),
        ] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert_eq!(stage.ask(&with_ticket(bytes)).refusal(), Refusal::TicketForged, "{what}");
        }
        for bytes in [good[..84].to_vec(), [good, vec![0]].concat(), vec![0], vec![0; 85]] {
            assert_eq!(stage.ask(&with_ticket(bytes)).refusal(), Refusal::TicketForged);
        }
    });
}

#[test]
fn sec_076_a_ticket_ends() {
    on_stage(|stage| {
        assert_eq!(refused(stage, &Facts { expires: now() - 1, ..facts() }), Refusal::TicketExpired);
        assert_eq!(
            refused(stage, &Facts { issued: now() + 4000, expires: now() + 5000, ..facts() }),
            Refusal::TicketExpired
        );
        assert_eq!(refused(stage, &Facts { boot_id: [0; 16], ..facts() }), Refusal::TicketOfEarlierBoot);
        // A lifetime that was made shorter counts for tickets that are there, too.
        file(paths::POLICY, format!("{POLICY}ticket_lifetime = 5s\n").as_bytes(), 0o644);
        assert_eq!(refused(stage, &facts()), Refusal::TicketExpired);
        assert!(stage.ask(&with_ticket(ticket(&Facts { issued: now(), ..facts() }, &KEY))).ran());
    });
}

#[test]
fn sec_076_a_revoked_ticket_is_void_and_a_later_one_is_not() {
    on_stage(|stage| {
        let place = format!("{}/{ADA}", paths::REVOKED);
        let moment = facts().issued;
        for (content, is_void) in [
            (format!("{moment}\n"), true),
            (format!("{}", moment + 1), true),
            (format!("{}", moment - 20), false),
            (String::new(), true),
            ("nonsense".to_owned(), true),
            ("9".repeat(40), true),
        ] {
            file(&place, content.as_bytes(), 0o600);
            let outcome = stage.ask(&with_ticket(ticket(&Facts { issued: moment, ..facts() }, &KEY)));
            assert_eq!(!outcome.ran(), is_void, "{content}");
            assert!(!is_void || outcome.refusal() == Refusal::TicketRevoked);
        }
        // A file that others could have written is not believed to let anybody in.
        file(&place, b"0", 0o666);
        assert_eq!(refused(stage, &facts()), Refusal::TicketRevoked);
        fs::remove_file(&place).unwrap();
        std::os::unix::fs::symlink("/dev/null", &place).unwrap();
        assert_eq!(refused(stage, &facts()), Refusal::TicketRevoked);
    });
}

#[test]
fn sec_076_a_key_that_others_could_know_or_set_makes_no_ticket_good() {
    on_stage(|stage| {
        for loose in [0o640, 0o604, 0o660, 0o602] {
            mode(paths::TICKET_KEY, loose);
            assert_eq!(refused(stage, &facts()), Refusal::Installation, "{loose:o}");
        }
        for short in [&[][..], &[0; 31]] {
            file(paths::TICKET_KEY, short, 0o600);
            assert_eq!(stage.ask(&with_ticket(ticket(&facts(), short))).refusal(), Refusal::TicketForged);
        }
        file(paths::TICKET_KEY, &[7; 33], 0o600);
        assert_eq!(refused(stage, &facts()), Refusal::Installation);
        fs::remove_file(paths::TICKET_KEY).unwrap();
        assert_eq!(refused(stage, &facts()), Refusal::TicketForged);
    });
}

#[test]
fn sec_076_without_a_ticket_only_those_are_served_whom_the_policy_names() {
    on_stage(|stage| {
        assert_eq!(stage.ask(&with_ticket(Vec::new())).refusal(), Refusal::Unattended);
        let report =
            stage.ask(&start_with(|start| (start.uid, start.ticket) = (64_850, Vec::new()))).report();
        assert!(report.lines().any(|line| line.starts_with("parcel=") && line.ends_with("00")), "{report}");
        // Who presents one is judged by it.
        assert_eq!(
            stage.ask(&start_with(|start| (start.uid, start.ticket) = (64_850, vec![1]))).refusal(),
            Refusal::TicketForged
        );
    });
}
