//! Choices that fit and choices that do not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn option(name: &str, kind: Kind) -> ProfileOption {
    ProfileOption {
        name: name.to_owned(),
        label: name.to_uppercase(),
        help: String::new(),
        unit: String::new(),
        kind,
        set: Map::new(),
    }
}

fn profile(slug: &str) -> Profile {
    Profile {
        slug: slug.to_owned(),
        display_name: format!("The {slug} one"),
        description: String::new(),
        default: false,
        groups: Vec::new(),
        options: Vec::new(),
        set: Map::new(),
    }
}

fn profiles() -> Profiles {
    let choice = |value: &str, set: Value| Choice {
        value: value.to_owned(),
        label: value.to_uppercase(),
        set: object(set),
    };
    let choices = vec![choice("lab", json!({"default_url": "/lab"})), choice("r", json!({"cmd": "rserver"}))];
    let pattern = Pattern::parse("[a-z]+|[0-9{}]+").ok();
    let text = Kind::Text { longest: 9, pattern, required: false, default: String::new() };
    let gpu = Profile {
        groups: vec!["physics".to_owned()],
        options: vec![
            option("image", Kind::Choice { choices, default: "lab".to_owned() }),
            ProfileOption {
                unit: "GiB".to_owned(),
                ..option("memory", Kind::Integer { min: 1, max: 64, default: 8 })
            },
            option("cores", Kind::Number { min: 0.5, max: 4.0, default: 1.0 }),
            ProfileOption {
                set: object(json!({"debug": true})),
                ..option("loud", Kind::Switch { default: false })
            },
            option("branch", text),
        ],
        set: object(json!({
            "mem_limit": "{memory}G", "cpu_limit": "{cores}", "args": ["--branch={branch}", "{{branch}}"],
            "environment": {"BRANCH": "{branch}-{username}", "N": "{memory}"},
        })),
        ..profile("gpu")
    };
    Profiles {
        all: vec![profile("small"), Profile { default: true, ..profile("usual") }, gpu],
        others: Others::Named(["ticket".to_owned()].into()),
    }
}

const PHYSICIST: [&str; 1] = ["physics"];
const NOBODY: [&str; 0] = [];

fn chosen(given: Value, groups: &[&str]) -> Result<Value, String> {
    let chosen = profiles().choose(&object(given), groups).map(|chosen| chosen.options());
    chosen.map(Value::Object).map_err(|unfit| unfit.to_string())
}

#[test]
fn what_is_not_chosen_is_as_the_profile_has_it() {
    assert_eq!(chosen(json!({}), &NOBODY), Ok(json!({"profile": "usual"})));
    assert_eq!(
        chosen(json!({"profile": "gpu"}), &PHYSICIST),
        Ok(json!({"profile": "gpu", "image": "lab", "memory": 8, "cores": 1.0, "loud": false, "branch": ""}))
    );
}

#[test]
fn forms_links_and_rest_bodies_say_the_same() {
    let whole =
        json!({"profile": "gpu", "image": "r", "memory": 16, "cores": 1.5, "loud": true, "branch": "x"});
    for given in [
        whole.clone(),
        json!({"profile": "gpu", "options": {"image": "r", "memory": 16, "cores": 1.5, "loud": true, "branch": "x"}}),
        json!({"profile": ["gpu"], "image": ["r"], "memory": ["16"], "cores": ["1.5"], "loud": ["on"], "branch": [" x "]}),
    ] {
        assert_eq!(chosen(given.clone(), &PHYSICIST), Ok(whole.clone()), "{given}");
    }
    let fields = [
        ("profile", "gpu"),
        ("gpu.image", "r"),
        ("gpu.memory", "16"),
        ("gpu.cores", "1.5"),
        ("small.memory", "1"),
    ];
    assert_eq!(
        Value::Object(profiles().of_fields(fields.into_iter())),
        json!({"profile": "gpu", "image": "r", "memory": "16", "cores": "1.5", "loud": false})
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let given = json!({
        "profile": "gpu", "image": "x", "memory": "65", "cores": "nan", "loud": "loud", "branch": "a b", "colour": 1,
    });
    let unfit = profiles().choose(&object(given), &PHYSICIST).unwrap_err();
    let wrong: Vec<&str> = unfit.wrong.iter().map(|wrong| wrong.option.as_str()).collect();
    assert_eq!(wrong, ["image", "memory", "cores", "loud", "branch", "colour"]);
    let told = unfit.to_string();
    for part in [
        "IMAGE: Choose one of lab, r.",
        "MEMORY: Enter a whole number from 1 to 64 GiB.",
        "CORES: Enter a number from 0.5 to 4.",
        "no option 'colour'; there are image, memory, cores, loud, branch.",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_profile_of_a_group_is_for_its_members_and_nobody_else_learns_of_it() {
    let refused = chosen(json!({"profile": "gpu"}), &NOBODY).unwrap_err();
    assert_eq!(refused, "Choose one of the profiles that there are for you: small, usual.");
    assert_eq!(chosen(json!({"profile": "none"}), &NOBODY).unwrap_err(), refused);
    assert!(chosen(json!({"profile": "gpu"}), &PHYSICIST).is_ok());
    assert_eq!(profiles().open_to(&NOBODY).len(), 2);
}

#[test]
fn options_that_something_else_applies_are_let_through() {
    let kept = chosen(json!({"profile": "small", "ticket": [1, 2]}), &NOBODY);
    assert_eq!(kept, Ok(json!({"profile": "small", "ticket": [1, 2]})));
    assert!(chosen(json!({"profile": "small", "options": 1}), &NOBODY).is_err());
}

#[test]
fn sec_what_people_type_is_filled_in_and_is_no_template() {
    let given = json!({"profile": "gpu", "branch": "{12}", "memory": 2, "image": "r", "loud": true});
    let profiles = profiles();
    let settings = profiles.choose(&object(given), &PHYSICIST).unwrap().settings();
    assert_eq!(
        Value::Object(settings.into_iter().collect()),
        json!({
            "mem_limit": "2G", "cpu_limit": "1", "args": ["--branch={12}", "{{branch}}"],
            "environment": {"BRANCH": "{{12}}-{username}", "N": "2"}, "cmd": "rserver", "debug": true,
        })
    );
    assert_eq!(fill::asked_for(&json!(["{b}", {"x": "{{a}}"}]), &["a", "b"]), ["b"]);
}

#[test]
fn ui_039_a_choice_is_told_in_the_words_of_the_form() {
    let kept = object(
        json!({"profile": "gpu", "image": "r", "memory": 16, "loud": false, "branch": "", "cores": 99}),
    );
    let told = profiles().described(&kept);
    let label = |label: &str| Some(label.to_owned());
    assert_eq!(
        told,
        [
            (None, json!("The gpu one")),
            (label("IMAGE"), json!("R")),
            (label("MEMORY"), json!("16 GiB")),
            (label("LOUD"), json!(false)),
        ]
    );
    assert!(profiles().described(&object(json!({"profile": "gone"}))).is_empty());
}

#[test]
fn a_pattern_is_for_the_whole_of_a_text() {
    let pattern = Pattern::parse("a|b").unwrap();
    assert!(pattern.matches("a") && !pattern.matches("ab") && !pattern.matches("b\n"));
    assert!(Pattern::parse("a)|(?:b").is_err());
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(lab|r|gpu|on|[0-9]{1,3}|[a-z{}]{0,12}|\\PC{0,6})".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

proptest! {
    /// UI-051, SEC-017: whatever is sent, what is taken is within what is offered, and is taken again as it is.
    #[test]
    fn what_is_taken_is_within_what_is_offered(
        given in prop::collection::hash_map("(profile|image|memory|cores|loud|branch|options|x)", anything(), 0..7)
    ) {
        let profiles = profiles();
        let given: Options = given.into_iter().collect();
        if let Ok(chosen) = profiles.choose(&given, &PHYSICIST) {
            let options = chosen.options();
            prop_assert!(!options.contains_key("x"));
            if chosen.profile.slug == "gpu" {
                prop_assert!((1..=64).contains(&options["memory"].as_i64().unwrap()));
                prop_assert!((0.5..=4.0).contains(&options["cores"].as_f64().unwrap()));
                prop_assert!(["lab", "r"].contains(&options["image"].as_str().unwrap()));
                let branch = options["branch"].as_str().unwrap();
                let fine = branch.is_empty() || Pattern::parse("[a-z]+|[0-9{}]+").unwrap().matches(branch);
                prop_assert!(fine);
            }
            let again = profiles.choose(&options, &PHYSICIST).unwrap();
            prop_assert_eq!(again.options(), options);
            prop_assert_eq!(again.settings(), chosen.settings());
        }
    }
}
