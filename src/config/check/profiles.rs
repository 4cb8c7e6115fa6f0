//! Rules of `[spawner.profiles]`: what is offered must be what a start can be made with.

use serde_json::{Map, Value as Json};

use crate::config::load::Report;
use crate::config::setting::Key;
use crate::config::setting::nearest::nearest;
use crate::config::spawner::SpawnerConfig;
use crate::config::spawner::profile::{ProfileConfig, is_slug};
use crate::config::spawner::variant::{CHANGEABLE, Variant};
use crate::domain::names::GroupName;
use crate::domain::profiles::fill::asked_for;
use crate::domain::profiles::{Kind, PROFILE, Profile, Profiles};
use crate::domain::spawn_env::Environment;
use crate::domain::template::Template;
use crate::domain::user_options::Options;

/// Keys that let whoever sets them run or reach what they like: no place for what users type.
const NOT_TYPED: [&str; 7] = [
    "cmd",
    "env_keep",
    "hub_connect_url",
    "ip",
    "oauth_client_allowed_scopes",
    "port",
    "server_token_scopes",
];

/// Samples are tried for nobody in particular.
const NOBODY: [&str; 0] = [];

/// Checks all profiles.
pub(super) fn check(spawner: &SpawnerConfig, report: &mut Report) {
    if spawner.profiles.is_empty() {
        return;
    }
    let forms = [
        ("spawner.options_form", !spawner.options_form.is_empty()),
        ("spawner.hooks.options_form", spawner.hooks.options_form.is_some()),
        ("spawner.hooks.options_from_form", spawner.hooks.options_from_form.is_some()),
    ];
    for (key, _) in forms.into_iter().filter(|(_, is_set)| *is_set) {
        report.wrong_at(key, "`spawner.profiles` make a form of their own: write one of the two");
    }
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut preset: Option<&str> = None;
    for (slug, written) in &spawner.profiles {
        let key = Key::new(["spawner", "profiles", slug]);
        if !is_slug(slug) {
            report.wrong(
                key.clone(),
                "a profile is called by letters, digits, `_` and `-`, at most 60 of them",
            );
        }
        let shown = written.shown(slug);
        match seen.iter().find(|(_, name)| *name == shown) {
            Some((other, _)) => report
                .wrong(key.child("display_name"), format!("the profile {other} is shown by the same name")),
            None => seen.push((slug, shown)),
        }
        if written.default && written.groups.is_empty() {
            match preset {
                Some(other) => report
                    .wrong(key.child("default"), format!("the profile {other} is the default for everybody")),
                None => preset = Some(slug),
            }
        }
        one(spawner, slug, written, report);
    }
    if spawner.profiles.values().all(|profile| !profile.groups.is_empty()) {
        report.warn("`spawner.profiles`: all of them are for groups, so others can start nothing");
    }
}

fn one(spawner: &SpawnerConfig, slug: &str, written: &ProfileConfig, report: &mut Report) {
    let key = Key::new(["spawner", "profiles", slug]);
    for error in written.groups.iter().filter_map(|group| GroupName::parse(group).err()) {
        report.wrong(key.child("groups"), error.to_string());
    }
    let mut fine = true;
    for (name, option) in &written.options {
        let at = key.child("options").child(name);
        if spawner.user_options.contains_key(name) {
            report.wrong(
                at.clone(),
                "`spawner.user_options` applies an option of this name; call it otherwise",
            );
        }
        if let Err((part, problem)) = option.option(name) {
            let at = if part.is_empty() { at } else { at.child(part) };
            report.wrong(at, problem);
            fine = false;
        }
    }
    let profile = written.profile(slug);
    for (at, set) in sets(&key, written) {
        fine &= known(&at, set, report) && safe(&at, set, &profile, report);
    }
    if fine {
        tried(spawner, &key, profile, report);
    }
}

/// Every table of settings, with its key.
fn sets<'w>(key: &Key, written: &'w ProfileConfig) -> Vec<(Key, &'w Map<String, Json>)> {
    let options = written.options.iter().flat_map(|(name, option)| {
        let at = key.child("options").child(name);
        let choices = option.choices.iter().map({
            let at = at.child("choices");
            move |choice| (at.clone(), &choice.set)
        });
        choices.chain([(at.child("set"), &option.set)]).collect::<Vec<_>>()
    });
    std::iter::once((key.child("set"), &written.set)).chain(options).collect()
}

fn known(at: &Key, set: &Map<String, Json>, report: &mut Report) -> bool {
    let unknown: Vec<&String> = set.keys().filter(|key| !CHANGEABLE.contains(&key.as_str())).collect();
    for key in &unknown {
        let hint = match nearest(key, &CHANGEABLE) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; those are {}", CHANGEABLE.join(", ")),
        };
        report.wrong(
            at.child(key),
            format!("this is no key of [spawner] that can differ from start to start{hint}"),
        );
    }
    unknown.is_empty()
}

/// What users type does not become a command, and an argument only in a form that the operator has named.
fn safe(at: &Key, set: &Map<String, Json>, profile: &Profile, report: &mut Report) -> bool {
    let mut fine = true;
    for (key, value) in set {
        for option in &profile.options {
            let Kind::Text { pattern, .. } = &option.kind else { continue };
            if asked_for(value, &[&option.name]).is_empty() {
                continue;
            }
            if NOT_TYPED.contains(&key.as_str()) {
                report.wrong(
                    at.child(key),
                    format!("{{{}}} is a text that users type; offer choices", option.name),
                );
                fine = false;
            } else if key == "args" && pattern.is_none() {
                let problem = format!("{{{}}} is a text that users type; give it a `pattern`", option.name);
                report.wrong(at.child(key), problem);
                fine = false;
            }
        }
    }
    fine
}

/// Tries what the profile sets by default, and with the least, the most and every choice of each option.
fn tried(spawner: &SpawnerConfig, key: &Key, profile: Profile, report: &mut Report) {
    let samples = samples(&profile);
    let slug = profile.slug.clone();
    let alone = Profiles { all: vec![Profile { groups: Vec::new(), ..profile }], ..Profiles::default() };
    for sample in samples {
        let mut options = sample.clone();
        options.insert(PROFILE.to_owned(), slug.clone().into());
        // a text that must be filled in has no sample
        let Ok(chosen) = alone.choose(&options, &NOBODY) else { continue };
        if let Err(problem) = applied(spawner, &chosen.settings()) {
            let with: Vec<String> = sample.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let with = if with.is_empty() { String::new() } else { format!(" (with {})", with.join(", ")) };
            return report.wrong(key.child("set"), format!("{problem}{with}"));
        }
    }
}

fn samples(profile: &Profile) -> Vec<Options> {
    let of_options = profile.options.iter().flat_map(|option| {
        let values: Vec<Json> = match &option.kind {
            Kind::Choice { choices, .. } => {
                choices.iter().map(|choice| choice.value.clone().into()).collect()
            }
            Kind::Integer { min, max, .. } => vec![(*min).into(), (*max).into()],
            Kind::Number { min, max, .. } => vec![(*min).into(), (*max).into()],
            Kind::Switch { .. } => vec![true.into(), false.into()],
            Kind::Text { .. } => Vec::new(),
        };
        values.into_iter().map(|value| Options::from_iter([(option.name.clone(), value)])).collect::<Vec<_>>()
    });
    std::iter::once(Options::new()).chain(of_options).collect()
}

fn applied(spawner: &SpawnerConfig, settings: &[(String, Json)]) -> Result<(), String> {
    let mut variant = Variant::of(spawner);
    for (key, value) in settings {
        variant.apply(key, value).map_err(|wrong| wrong.to_string())?;
    }
    let varied = variant.read().map_err(|wrong| wrong.to_string())?;
    let variables = varied.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Environment::parse(variables).map_err(|wrong| format!("spawner.environment: {wrong}"))?;
    for (key, text) in [("notebook_dir", &varied.notebook_dir), ("default_url", &varied.default_url)] {
        text.parse::<Template>().map_err(|wrong| format!("spawner.{key}: {wrong}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::testing::Case;

    const GOOD: &str = r#"
        [spawner.profiles.small]
        display_name = "Small"
        default = true
        set = { mem_limit = "2G" }
        [spawner.profiles.gpu]
        groups = ["physics"]
        order = 1
        set = { mem_limit = "{memory}G", cpu_limit = "{cores}", environment = { BRANCH = "{branch}" }, args = ["--b={branch}"] }
        options.memory = { type = "integer", min = 1, max = 64, default = 8, unit = "GiB", order = 1 }
        options.cores = { type = "number", min = 0.5, max = 4 }
        options.branch = { type = "text", pattern = "[a-z]*" }
        options.loud = { type = "boolean", set = { debug = true } }
        options.image = { type = "choice", choices = [
            { value = "lab", label = "JupyterLab", set = { default_url = "/lab" } }, { value = "tree" } ] }
    "#;

    #[test]
    fn profiles_are_read_in_their_order() {
        let config = Case::file(GOOD).read().unwrap().config;
        let profiles = config.spawner.profiles();
        let names: Vec<_> = profiles.all.iter().map(|profile| profile.display_name.as_str()).collect();
        assert_eq!(names, ["Small", "gpu"]);
        let options: Vec<_> = profiles.all[1].options.iter().map(|option| option.label.as_str()).collect();
        assert_eq!(options, ["branch", "cores", "image", "loud", "memory"]);
        assert_eq!(profiles.all[1].options[4].default(), 8);
    }

    #[test]
    fn what_cannot_be_offered_is_told_with_its_key() {
        let profile = |text: &str| format!("[spawner.profiles.a]\n{text}");
        for (text, told) in [
            (
                profile("set = { mem_limt = 1 }"),
                "`spawner.profiles.a.set.mem_limt`: this is no key of [spawner] that can differ from start to start; did you mean `mem_limit`?",
            ),
            (profile("colour = 1\ndescripton = 'x'"), "did you mean `spawner.profiles.a.description`?"),
            (
                profile("options.m = { type = \"integer\", max = 5, default = 9 }"),
                "`spawner.profiles.a.options.m.default`: Enter a whole number from 0 to 5.",
            ),
            (
                profile("options.m = { type = \"integer\", min = 6, max = 5 }"),
                "options.m.min`: this is more than `max`",
            ),
            (
                profile("options.m = { type = \"integer\", min = 0.5, max = 5 }"),
                "options.m.min`: expected a whole number",
            ),
            (profile("options.m = { type = \"integer\" }"), "options.m.max`: expected a number"),
            (
                profile("options.m = { type = \"number\", max = 5, pattern = \"x\" }"),
                "options.m.pattern`: this is for the type text",
            ),
            (profile("options.m = { type = \"choice\" }"), "expected at least one choice"),
            (
                profile(
                    "options.m = { type = \"choice\", choices = [{ value = \"a\" }, { value = \"a\" }] }",
                ),
                "there are two of \"a\"",
            ),
            (
                profile("options.m = { type = \"choice\", choices = [{ value = \"a\", lable = \"x\" }] }"),
                "did you mean",
            ),
            (
                profile("options.m = { type = \"choice\", default = \"b\", choices = [{ value = \"a\" }] }"),
                "Choose one of a.",
            ),
            (profile("options.m = { pattern = \"(\" }"), "this is no regular expression"),
            (
                profile("options.m = { pattern = \"[a-z]+\", default = \"1\" }"),
                "options.m.default`: This does not have the form",
            ),
            (profile("options.profile = {}"), "not `profile` or `options`"),
            (
                profile("set = { mem_limit = \"{m}X\" }\noptions.m = { type = \"integer\", max = 5 }"),
                "spawner.mem_limit",
            ),
            (
                profile(
                    "set = { cpu_limit = \"{m}\" }\noptions.m = { type = \"integer\", default = 3, max = 5 }",
                ),
                "(with m = 0)",
            ),
            (profile("set = { environment = { A = \"{oops}\" } }"), "'{oops}' means nothing here"),
            (
                profile("set = { cmd = [\"{t}\"] }\noptions.t = {}"),
                "`spawner.profiles.a.set.cmd`: {t} is a text that users type",
            ),
            (profile("set = { args = [\"--x={t}\"] }\noptions.t = {}"), "give it a `pattern`"),
            (
                profile("[spawner.profiles.b]\ndisplay_name = \"a\""),
                "the profile a is shown by the same name",
            ),
            (
                profile("default = true\n[spawner.profiles.b]\ndefault = true"),
                "the profile a is the default for everybody",
            ),
            ("[spawner.profiles.\"a.b\"]".to_owned(), "a profile is called by letters"),
            (
                format!("spawner.user_options.m = \"mem_limit\"\n{}", profile("options.m = {}")),
                "call it otherwise",
            ),
            (format!("spawner.options_form = \"<input>\"\n{}", profile("")), "make a form of their own"),
        ] {
            let problems = Case::file(&text).problems();
            assert!(problems.contains(told), "{text}\n{problems}\nexpected: {told}");
        }
    }
}
