//! What makes starts differ: groups, options, hooks; and hooks that hang, print garbage or fail (LIFE-028 to 031).

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually};

/// A hub whose settings may name programs in a folder of their own: `{folder}`.
fn hub_with(program: &str, extra: &str) -> (Hub, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let script = format!(
        "import json, sys, time\nquestion = json.load(sys.stdin)\n\
         def answer(value): print(json.dumps(value))\n\
         def note(value): open({path:?} + '/notes', 'a').write(json.dumps(value) + '\\n')\n{program}\n"
    );
    std::fs::write(folder.path().join("hook.py"), script).unwrap();
    let extra =
        extra.replace("HOOK", &format!(r#"{{ command = ["python3", "{path}/hook.py"], timeout = 20 }}"#));
    let hub = Hub::with(&extra.replace("FOLDER", &path));
    // groups may have made her already
    assert!(matches!(hub.admin("POST", "/users/ada", None).status, 201 | 409));
    (hub, folder)
}

fn notes(folder: &tempfile::TempDir) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join("notes")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn environment(hub: &Hub) -> Value {
    hub.get("/user/ada/env").json()
}

fn tokens_of_ada(hub: &Hub) -> usize {
    let tokens = hub.admin("GET", "/users/ada/tokens", None).json();
    tokens["api_tokens"].as_array().unwrap().len()
}

#[test]
fn life_028_options_persist_and_are_reused_when_none_are_given() {
    let (hub, _folder) = hub_with("", "spawner.user_options.size = \"environment.SIZE\"");
    let body = json!({"user_options": {"size": "big {username}"}});
    assert_eq!(hub.admin("POST", "/users/ada/server", Some(body)).status, 201);
    assert_eq!(environment(&hub)["SIZE"], "big {username}", "options are no templates");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 201);
    assert_eq!(environment(&hub)["SIZE"], "big {username}");
    assert_eq!(hub.server("ada", "")["user_options"], json!({"size": "big {username}"}));
}

#[test]
fn life_029_options_set_keys_text_is_coerced_and_others_are_refused_or_warned_of() {
    let map =
        "spawner.user_options = { mem = \"mem_limit\", wait = \"http_timeout\", cores = \"cpu_limit\" }";
    let (hub, _folder) = hub_with("", map);
    let start =
        |options: Value| hub.admin("POST", "/users/ada/server", Some(json!({"user_options": options})));
    for wrong in [json!({"wait": "soon"}), json!({"mem": ["1G"]}), json!({"cores": -1})] {
        let reply = start(wrong.clone());
        assert_eq!(
            (reply.status, &reply.json()["message"]),
            (400, &json!("Invalid user options")),
            "{wrong}"
        );
    }
    assert_eq!(start(json!({"mem": "1G", "wait": "45", "cores": "0.5", "colour": "red"})).status, 201);
    let environment = environment(&hub);
    assert_eq!((&environment["MEM_LIMIT"], &environment["CPU_LIMIT"]), (&json!("1073741824"), &json!("0.5")));
    eventually("the warning", || {
        let log = hub.log();
        log.lines().any(|line| line.contains("nothing applies") && line.contains("colour")).then_some(())
    });
}

#[test]
fn life_030_overrides_of_groups_apply_in_the_order_of_their_names() {
    let (hub, _folder) = hub_with(
        "",
        "groups.gpu.users = [\"ada\"]\ngroups.lab.users = [\"ada\"]\ngroups.others.users = []\n\
         spawner.environment = { A = \"1\", B = \"1\", C = \"1\" }\n\
         spawner.group_overrides.b = { groups = [\"gpu\"], override = { environment = { B = \"b\", C = \"b\" }, mem_limit = \"2G\" } }\n\
         spawner.group_overrides.a = { groups = [\"lab\", \"none\"], override = { environment = { B = \"a\", D = \"{username}\" }, mem_limit = \"1G\" } }\n\
         spawner.group_overrides.z = { groups = [\"others\"], override = { environment = { A = \"z\" } } }",
    );
    hub.spawn("ada");
    let environment = environment(&hub);
    let found: Vec<&Value> = ["A", "B", "C", "D", "MEM_LIMIT"].map(|name| &environment[name]).to_vec();
    assert_eq!(found, ["1", "b", "b", "ada", "2147483648"]);
}

#[test]
fn life_031_hooks_run_in_the_order_of_the_table_and_change_the_start() {
    let (hub, folder) = hub_with(
        "name = question['hook']\n\
         note([name, question['user']['name'], question['server'].get('user_options'), 'auth_state' in question])\n\
         if name in ('auth_state', 'apply_user_options', 'pre_spawn'):\n\
         \x20   answer({'environment': {'LAST': name + '{', name: '1'}})",
        "spawner.hooks = { auth_state = HOOK, apply_user_options = HOOK, pre_spawn = HOOK, post_stop = HOOK }",
    );
    let body = json!({"user_options": {"a": 1}});
    assert_eq!(hub.admin("POST", "/users/ada/server", Some(body)).status, 201);
    let environment = environment(&hub);
    assert_eq!(environment["LAST"], "pre_spawn{", "{environment}");
    assert_eq!((&environment["auth_state"], &environment["apply_user_options"]), (&json!("1"), &json!("1")));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    let expected = ["auth_state", "apply_user_options", "pre_spawn", "post_stop"]
        .map(|name| json!([name, "ada", {"a": 1}, name == "auth_state"]));
    assert_eq!(notes(&folder), expected);
}

#[test]
fn life_031_a_hook_that_says_no_fails_the_start_in_its_words_and_leaves_nothing() {
    let (hub, _folder) = hub_with(
        "answer({'error': {'status_code': 409, 'message': 'No <GPU> is free.', 'reason': 'no gpu!'}})",
        "spawner.hooks.pre_spawn = HOOK",
    );
    let before = tokens_of_ada(&hub);
    let reply = hub.admin("POST", "/users/ada/server", None);
    assert_eq!((reply.status, &reply.json()["message"]), (409, &json!("No <GPU> is free.")));
    assert!(hub.server("ada", "").is_null());
    assert_eq!(tokens_of_ada(&hub), before);
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(
        progress.body.contains("\"failed\":true") && progress.body.contains("is free."),
        "{}",
        progress.body
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    for path in ["/hub/spawn/ada", "/hub/spawn-pending/ada"] {
        let page = browser.get(path);
        assert!(page.status == 409 && page.body.contains("No &lt;GPU&gt; is free."), "{path}: {}", page.body);
    }
}

#[test]
fn life_031_a_hook_that_fails_or_prints_garbage_fails_the_start() {
    for (program, said) in [
        ("sys.exit(3)", "exit status: 3"),
        ("print('oh my secret')", "no JSON"),
        ("print('[' * 2000000)", "larger than"),
        ("answer(['x'])", "no object"),
        ("answer({'type': 'local'})", "no key of [spawner]"),
    ] {
        let (hub, _folder) = hub_with(program, "spawner.hooks.pre_spawn = HOOK");
        let reply = hub.admin("POST", "/users/ada/server", None);
        assert!(reply.status == 500 && reply.body.contains(said), "{program}: {}", reply.body);
        assert!(hub.server("ada", "").is_null());
        assert!(!hub.log().contains("oh my secret"));
    }
}

#[test]
fn life_031_a_hook_that_hangs_is_ended_at_its_deadline_or_with_the_stop() {
    let hang = r#"{ command = ["sh", "-c", "echo $$ > FOLDER/pid; exec sleep 600"], timeout = LIMIT }"#;
    let hooks = |limit: &str| format!("spawner.hooks.pre_spawn = {}", hang.replace("LIMIT", limit));
    let pid = |folder: &tempfile::TempDir| {
        eventually("the hook", || {
            let text = std::fs::read_to_string(folder.path().join("pid")).ok()?;
            text.trim().parse::<u32>().ok()
        })
    };
    let ended = |pid: u32| {
        eventually("the end of the hook", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        });
    };
    let (hub, folder) = hub_with("", &hooks("0.5"));
    let reply = hub.admin("POST", "/users/ada/server", None);
    assert!(
        reply.status == 500 && reply.body.contains("did not answer within 0.5 seconds"),
        "{}",
        reply.body
    );
    ended(pid(&folder));

    let (hub, folder) = hub_with("", &format!("hub.timeouts.slow_spawn = 0\n{}", hooks("500")));
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let hook = pid(&folder);
    assert!(matches!(hub.admin("DELETE", "/users/ada/server", None).status, 202 | 204));
    ended(hook);
    eventually("the stop", || hub.server("ada", "").is_null().then_some(()));
}

#[test]
fn life_031_a_hook_that_fails_after_a_stop_is_logged_and_changes_nothing() {
    let (hub, _folder) = hub_with("sys.exit(4)", "spawner.hooks.post_stop = HOOK");
    hub.spawn("ada");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert!(hub.server("ada", "").is_null());
    eventually("the log line", || hub.log().contains("hook post_stop failed").then_some(()));
    hub.spawn("ada");
}

#[test]
fn hooks_tell_how_a_start_goes_and_how_it_ended() {
    let (hub, _folder) = hub_with(
        "if question['hook'] == 'progress':\n\
         \x20   print('garbage', flush=True)\n\
         \x20   print(json.dumps({'progress': 70, 'message': 'Halfway <there>', 'ready': True}), flush=True)\n\
         \x20   time.sleep(600)\n\
         answer({**question['payload'], 'message': 'Come in', 'ready': False})",
        "spawner.hooks = { progress = HOOK, progress_ready = HOOK }\nspawner.environment = { FAKE_DELAY = \"1\" }",
    );
    hub.admin("POST", "/users/ada/server", None);
    let server =
        eventually("the server", || Some(hub.server("ada", "")).filter(|server| server["ready"] == true));
    assert_eq!(server["ready"], true);
    let progress = hub.admin("GET", "/users/ada/server/progress", None).body;
    assert!(
        progress.contains("\"message\":\"Come in\"") && progress.contains("\"ready\":true"),
        "{progress}"
    );
}

#[test]
fn hooks_make_the_form_and_read_it() {
    let (hub, folder) = hub_with(
        "if question['hook'] == 'options_form': answer('<input name=\"size\" id=\"of-a-hook\">')\n\
         elif question['payload'].get('size') == ['bad']: answer({'error': {'message': 'No such size.'}})\n\
         else:\n\
         \x20   note(question['payload'])\n\
         \x20   answer({'size': question['payload']['size'][0].upper()})",
        "spawner.hooks = { options_form = HOOK, options_from_form = HOOK }\nspawner.user_options.size = \"environment.SIZE\"",
    );
    let mut ada = Browser::signed_in(&hub, "ada");
    let page = ada.get("/hub/spawn/ada");
    assert!(page.status == 200 && page.body.contains("id=\"of-a-hook\""), "{}", page.body);
    let refused = ada.get("/hub/spawn/ada?opt-size=bad");
    assert!(refused.status == 400 && refused.body.contains("No such size."), "{}", refused.body);
    assert!(refused.body.contains("id=\"of-a-hook\""), "in the form");
    assert_eq!(ada.get("/hub/spawn/ada?opt-size=big").status, 302);
    assert_eq!(notes(&folder), [json!({"size": ["big"]})]);
    eventually("the server", || (hub.server("ada", "")["ready"] == true).then_some(()));
    assert_eq!(environment(&hub)["SIZE"], "BIG");
}

#[test]
fn a_hook_says_where_user_redirect_leads() {
    let (hub, _folder) = hub_with(
        "path = question['payload']['path']\n\
         answer({'a': '/hub/home?x=1', 'odd': 'javascript:alert(1)'}.get(path))",
        "hub.hooks.user_redirect = HOOK",
    );
    let mut ada = Browser::signed_in(&hub, "ada");
    assert_eq!(ada.get("/hub/user-redirect/a").location(), "/hub/home?x=1");
    assert!(ada.get("/hub/user-redirect/b").location().starts_with("/hub/spawn/ada?"));
    assert_eq!(ada.get("/hub/user-redirect/odd").status, 500);
}

#[test]
fn life_035_admins_may_have_another_limit_and_stopped_servers_count() {
    let (hub, _folder) = hub_with(
        "",
        "hub.named_servers.enabled = true\nhub.limits.named_servers_per_user = 1\n\
         hub.limits.named_servers_per_user_admin = 2\nauth.admin_users = [\"boss\"]",
    );
    for (user, most) in [("ada", 1), ("boss", 2)] {
        for number in 0..most {
            assert_eq!(hub.admin("PUT", &format!("/users/{user}/servers/s{number}"), None).status, 201);
        }
        let reply = hub.admin("PUT", &format!("/users/{user}/servers/more"), None);
        let expected = format!("maximum of {most} named servers");
        assert!(reply.status == 400 && reply.body.contains(&expected), "{}", reply.body);
    }
}
