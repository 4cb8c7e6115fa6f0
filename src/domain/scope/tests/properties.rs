//! What holds for every set of scopes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A name among few, so that filters meet often.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "alice", "carol", "x!y=z"]).prop_map(str::to_owned)
}

fn filter() -> impl Strategy<Value = String> {
    let group = prop::sample::select(vec!["g", "g1", "g2"]);
    prop_oneof![
        Just(String::new()),
        name().prop_map(|name| format!("!user={name}")),
        group.prop_map(|name| format!("!group={name}")),
        name().prop_map(|name| format!("!service={name}")),
        (name(), name()).prop_map(|(user, server)| format!("!server={user}/{server}")),
        name().prop_map(|user| format!("!server={user}/")),
        prop::sample::select(vec!["!user", "!service", "!server"]).prop_map(str::to_owned),
    ]
}

fn raw() -> impl Strategy<Value = RawScope> {
    let catalogue = Catalogue::standard();
    let names: Vec<String> = catalogue.bases().map(ToString::to_string).collect();
    (prop::sample::select(names), filter()).prop_map(move |(base, filter)| {
        RawScope::parse(&format!("{base}{filter}"), &catalogue).expect("built from the grammar")
    })
}

fn scopes() -> impl Strategy<Value = Scopes> {
    vec(raw(), 0..12)
        .prop_map(|raw| expand(&raw, Owner::User("alice"), ClientOwner::Service("a"), &Catalogue::standard()))
}

proptest! {
    #[test]
    fn intersecting_is_commutative(a in scopes(), b in scopes()) {
        prop_assert_eq!(a.intersect(&b, &World), b.intersect(&a, &World));
        prop_assert_eq!(a.intersect(&b, &()), b.intersect(&a, &()));
    }

    #[test]
    fn an_intersection_is_within_both_sides(a in scopes(), b in scopes()) {
        let both = a.intersect(&b, &World);
        prop_assert!(both.is_subset_of(&a, &World) && both.is_subset_of(&b, &World));
        prop_assert!(a.intersect(&b, &()).is_subset_of(&both, &World));
    }

    #[test]
    fn a_set_is_within_another_when_nothing_is_lost_or_left_over(a in scopes(), b in scopes()) {
        let within = a.is_subset_of(&b, &World);
        prop_assert_eq!(within, a.beyond(&b, &World).is_empty());
        if within {
            prop_assert!(a.is_subset_of(&a.intersect(&b, &World), &World));
        }
        prop_assert!(a.is_subset_of(&a.clone().union(&b), &World));
        prop_assert_eq!(a.intersect(&a, &()), a);
    }

    #[test]
    fn expanding_again_adds_nothing(a in scopes()) {
        let written: Vec<RawScope> = a.to_raw().collect();
        let again = expand(&written, Owner::None, ClientOwner::Hub, &Catalogue::standard());
        prop_assert_eq!(again, a);
    }

    #[test]
    fn the_order_of_raw_scopes_does_not_matter(raw in vec(raw(), 0..12)) {
        let expanded = |raw: &mut dyn Iterator<Item = &RawScope>| {
            expand(raw, Owner::User("alice"), ClientOwner::Hub, &Catalogue::standard())
        };
        prop_assert_eq!(expanded(&mut raw.iter()), expanded(&mut raw.iter().rev()));
    }

    #[test]
    fn what_is_read_is_written_back(scope in raw()) {
        let text = scope.to_string();
        prop_assert_eq!(RawScope::parse(&text, &Catalogue::standard()), Ok(scope));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", value in "\\PC+") {
        let catalogue = Catalogue::standard();
        prop_assert!(RawScope::parse(&text, &catalogue).is_err() || catalogue.contains(text.split('!').next().unwrap_or("")));
        let filtered = format!("servers!user={value}");
        prop_assert_eq!(RawScope::parse(&filtered, &catalogue).expect("any value will do").to_string(), filtered);
    }

    #[test]
    fn covering_a_server_is_the_same_as_naming_it(user in "[a-z/!=é]{0,6}", server in "[a-z/!=é]{0,6}") {
        let scopes = exactly(&["servers!server=a/b", "servers!server=a/", &format!("servers!server={user}/{server}")]);
        prop_assert!(scopes.covers_server("servers", &user, &server, &["g1"]));
        let other = format!("{user}q");
        prop_assert!(!scopes.covers_server("servers", &other, &server, &["g1"]));
    }
}
