use super::*;
use crate::privileged::LaunchError;
use crate::spawn::testing::request;

fn told(error: LaunchError) -> SpawnError {
    in_words(&request(&["x"]), error)
}

#[test]
fn a_missing_or_void_ticket_asks_its_owner_to_sign_in_again_and_names_the_key_that_decides() {
    for (refusal, named) in [
        (Refusal::Unattended, "unattended_uids"),
        (Refusal::TicketExpired, "ticket_lifetime"),
        (Refusal::TicketOfEarlierBoot, "restarted"),
        (Refusal::TicketRevoked, "revoked"),
        (Refusal::TicketForged, "not valid"),
    ] {
        let said = told(LaunchError::Refused(refusal));
        assert_eq!(said.is_no(), Some((403, "sign-in")));
        let said = said.to_string();
        assert!(said.starts_with("ada must sign in again") && said.contains(named), "{said}");
    }
    let group = LaunchError::NotStarted { reason: StartFailure::Unattended, text: String::new() };
    assert!(told(group).to_string().contains("unattended_group"));
}

#[test]
fn every_other_refusal_reads_as_it_was_said() {
    for refusal in Refusal::ALL.iter().filter(|refusal| of_ticket(**refusal).is_none()) {
        let said = told(LaunchError::Refused(*refusal));
        assert_eq!(said.is_no(), None);
        let said = said.to_string();
        assert!(said.contains(&refusal.to_string()), "{said}");
        if let Some(key) = refusal.policy_key() {
            assert!(said.contains(key), "{said}");
        }
    }
    let missing = LaunchError::NotStarted {
        reason: StartFailure::Program,
        text: "/opt/orrery/jupyter/bin/jupyterhub-singleuser: No such file or directory".to_owned(),
    };
    let said = told(missing);
    assert_eq!(
        said.is_no(),
        Some((503, "not-installed")),
        "the machine is not set up, and nothing is broken"
    );
    let said = said.to_string();
    assert!(
        said.contains("/opt/orrery/jupyter/bin") && said.contains("`sudo orrery user-env create`"),
        "{said}"
    );
    let failed =
        LaunchError::NotStarted { reason: StartFailure::Program, text: "no such program".to_owned() };
    assert!(told(failed).to_string().ends_with("no such program"));
}
