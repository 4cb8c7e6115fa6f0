//! Of any request and any bytes: what is written comes back, nothing else does, nothing panics, and a policy never permits
//! more than it says.

use orrery_wire::control::{Ask, News};
use orrery_wire::{
    Answer, ExitRecord, Listen, Login, Policy, Reply, Request, Start, Ticket, frame, handover,
};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    "[^\0]{0,20}"
}

fn listen() -> impl Strategy<Value = Listen> {
    prop_oneof![Just(Listen::Unix), (text(), any::<u16>()).prop_map(|(ip, port)| Listen::Tcp { ip, port })]
}

prop_compose! {
    fn start()(
        (uid, ticket, server_id) in (any::<u32>(), any::<Vec<u8>>(), text()),
        command in prop::collection::vec(prop_oneof![text(), Just("/opt/x".to_owned()), Just("--fine".to_owned())], 0..4),
        environment in prop::collection::vec((prop_oneof![text(), "JUPYTERHUB_[A-Z]{0,2}", Just("HOME".to_owned())], text()), 0..4),
        (service_prefix, listen, folder, login_shell) in (text(), listen(), text(), any::<bool>()),
        (umask, memory, cpu) in (any::<Option<u32>>(), any::<u64>(), any::<u32>()),
        (processes, log_limit) in (any::<u32>(), any::<u64>()),
    ) -> Start {
        Start {
            uid, ticket, server_id, command, environment, service_prefix, listen, folder, login_shell, umask, memory, cpu,
            processes, log_limit,
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (text(), text(), text(), any::<bool>()).prop_map(
            |(service, username, remote_host, check_account)| {
                Request::Login(Login { service, username, remote_host, check_account })
            }
        ),
        start().prop_map(|start| Request::Start(Box::new(start))),
        any::<u32>().prop_map(|uid| Request::Revoke { uid }),
    ]
}

proptest! {
    #[test]
    fn every_request_comes_back_through_a_frame_and_a_handover(request in request()) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, &request.encode()).unwrap();
        let content = frame::read(bytes.as_slice()).unwrap();
        prop_assert_eq!(Request::decode(&content).unwrap(), request.clone());
        let handed = handover::decode(&handover::encode("caller_uid = 1", &content, false)).unwrap();
        prop_assert_eq!(handed.request, request);
    }

    #[test]
    fn sec_062_bytes_that_are_read_are_those_that_would_be_written(bytes in prop::collection::vec(0_u8..12, 0..60)) {
        if let Ok(request) = Request::decode(&bytes) { prop_assert_eq!(request.encode(), bytes.clone()); }
        if let Ok(reply) = Reply::decode(&bytes) { prop_assert_eq!(reply.encode(), bytes.clone()); }
        if let Ok(answer) = Answer::decode(&bytes) { prop_assert_eq!(answer.encode(), bytes.clone()); }
        if let Ok(ask) = Ask::decode(&bytes) { prop_assert_eq!(ask.encode(), bytes.clone()); }
        if let Ok(news) = News::decode(&bytes) { prop_assert_eq!(news.encode(), bytes.clone()); }
        if let Ok(record) = ExitRecord::decode(&bytes) { prop_assert_eq!(record.encode(), bytes.clone()); }
        if let Some(ticket) = Ticket::decode(&bytes) { prop_assert_eq!(ticket.encode(), bytes.clone()); }
        let _ = (handover::decode(&bytes), frame::read(bytes.as_slice()));
    }

    #[test]
    fn sec_073_what_is_permitted_is_in_the_policy(start in start()) {
        let policy = "caller_uid = 9\nuids = 1-4294967295\ncommand = /opt/x\nargument = --fine\nenvironment = JUPYTERHUB_*";
        let policy = Policy::parse(policy).unwrap();
        if policy.permits(&Request::Start(Box::new(start.clone()))).is_ok() {
            prop_assert!(start.uid != 0 && start.uid != 9 && start.uid != u32::MAX && !start.ticket.is_empty());
            prop_assert_eq!(start.command.first().unwrap(), "/opt/x");
            prop_assert!(start.command.iter().skip(1).all(|argument| argument == "--fine"));
            prop_assert!(start.environment.iter().all(|(name, _)| name.starts_with("JUPYTERHUB_")));
            prop_assert!(!start.login_shell && !start.server_id.contains('/'));
        }
    }

    #[test]
    fn any_text_is_a_policy_or_none(text in "(caller_uid = [0-9]{1,3}\n)?([a-z_]{3,12} ?= ?[ -~]{0,10}\n){0,4}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert!(!policy.admits_uid(0) && !policy.admits_uid(policy.caller_uid) && !policy.admits_variable("HOME"));
        }
    }
}
