//! What the operations are tried on: for each try a user in a group of its own, and whatever else the operation needs.

use serde_json::{Value, json};

use super::Client;
use super::document::Operation;
use super::expected::{Filter, Reach};

/// What one try is about.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) user: String,
    pub(super) group: String,
    pub(super) server: String,
    pub(super) service: String,
    token_id: String,
    token: String,
    pub(super) body: Option<Value>,
}

impl Target {
    /// Names that nothing has.
    pub(super) fn missing(number: usize) -> Self {
        Self {
            user: format!("ghost{number}"),
            group: format!("ghosts{number}"),
            server: "ghost".to_owned(),
            service: format!("ghost{number}"),
            token_id: "a999999".to_owned(),
            token: "no-such-token".to_owned(),
            body: None,
        }
    }

    /// Makes what the operation needs, so that it succeeds for whoever may do it.
    pub(super) fn prepare(client: &Client<'_>, operation: &Operation) -> Self {
        let number = client.contract.number();
        let mut target = Self {
            user: format!("user{number}"),
            group: format!("group{number}"),
            server: "lab".to_owned(),
            service: "tests".to_owned(),
            token_id: String::new(),
            token: String::new(),
            body: operation.body.as_ref().map(|body| body.example.clone()),
        };
        target.prepare_user(client, operation);
        target.prepare_rest(client, operation);
        target
    }

    /// The user with a group, unless it is the operation that makes them.
    fn prepare_user(&self, client: &Client<'_>, operation: &Operation) {
        if operation.id != "create_user" {
            client.make("POST", &format!("/users/{}", self.user), None);
        }
        if operation.id != "create_group" {
            let members = if operation.id == "create_user" { json!([]) } else { json!([self.user]) };
            client.make("POST", &format!("/groups/{}", self.group), Some(json!({ "users": members })));
        }
    }

    /// The rest, and the body: examples name what is not there.
    fn prepare_rest(&mut self, client: &Client<'_>, operation: &Operation) {
        match operation.id.as_str() {
            "create_users" => self.body = Some(json!({ "usernames": [format!("{}-new", self.user)] })),
            "create_groups" => {
                self.body = Some(json!({ "groups": [format!("{}-new", self.group)], "users": [self.user] }));
            }
            "add_group_users" | "remove_group_users" | "create_group" => {
                self.body = Some(json!({ "users": [self.user] }));
            }
            "grant_share" | "revoke_share" => {
                self.make_server(client);
                self.body = Some(json!({ "user": "other" }));
            }
            "show_server" | "change_server" | "stop_server" | "restart_server" | "keep_server"
            | "release_server" | "follow_start" | "list_shares" | "list_share_codes" | "revoke_shares"
            | "create_share_code" | "delete_share_codes" => self.make_server(client),
            "change_server_default" => self.body = Some(json!({ "user_options": { "a": 1 } })),
            "create_server_default" => self.body = None,
            "delete_message" => self.make_message(client),
            "show_token" | "revoke_token" | "owner_of_token" => self.make_token(client),
            "show_share_with_user" | "leave_share_with_user" => {
                self.make_share(client, &json!({ "user": self.user }));
            }
            "show_share_with_group" | "leave_share_with_group" => {
                self.make_share(client, &json!({ "group": self.group }));
            }
            "create_service" => self.service = format!("{}-service", self.user),
            "delete_service" => {
                self.service = format!("{}-service", self.user);
                client.make(
                    "POST",
                    &format!("/services/{}", self.service),
                    Some(json!({ "info": { "a": 1 } })),
                );
            }
            // the example is good, or nothing is sent; what is asked for is there
            "version"
            | "health"
            | "health_head"
            | "info"
            | "openapi"
            | "docs"
            | "metrics"
            | "whoami"
            | "journal"
            | "reload"
            | "preview_reload"
            | "list_messages"
            | "send_message"
            | "show_maintenance"
            | "begin_maintenance"
            | "end_maintenance"
            | "show_announcement"
            | "announce"
            | "withdraw_announcement"
            | "owner_of_cookie"
            | "owner_of_cookie_in_body"
            | "admin_access"
            | "list_users"
            | "create_user"
            | "show_user"
            | "change_user"
            | "revoke_user"
            | "delete_user"
            | "report_activity"
            | "list_tokens"
            | "create_token"
            | "create_server"
            | "start_server"
            | "start_server_default"
            | "restart_server_default"
            | "keep_server_default"
            | "release_server_default"
            | "show_server_default"
            | "stop_server_default"
            | "follow_start_default"
            | "list_groups"
            | "show_group"
            | "delete_group"
            | "set_group_properties"
            | "list_services"
            | "show_service"
            | "list_shares_of_user"
            | "list_share_codes_of_user"
            | "list_shares_with_user"
            | "list_shares_with_group"
            | "list_routes"
            | "list_failing_profiles"
            | "forget_failing_profile"
            | "check_routes"
            | "change_proxy"
            | "shutdown"
            | "exchange_code"
            | "show_authorization"
            | "confirm_authorization" => {}
            other => panic!(
                "say in tests/it/contract/targets.rs what the new operation {other} is to be tried with"
            ),
        }
    }

    fn make_server(&self, client: &Client<'_>) {
        client.make("PUT", &format!("/users/{}/servers/{}", self.user, self.server), None);
    }

    fn make_token(&mut self, client: &Client<'_>) {
        let made = client.make("POST", &format!("/users/{}/tokens", self.user), None).json();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        (self.token_id, self.token) = (text("id"), text("token"));
    }

    /// Something that an administrator wrote.
    fn make_message(&mut self, client: &Client<'_>) {
        let path = format!("/users/{}/messages", self.user);
        self.token_id =
            client.make("POST", &path, Some(json!({ "message": "Hello" }))).json()["id"].to_string();
    }

    /// A server of somebody else, opened to the user or group.
    fn make_share(&self, client: &Client<'_>, receiver: &Value) {
        client.make("POST", "/shares/owner/lab", Some(receiver.clone()));
    }

    /// The operation's path for this target.
    pub(super) fn path(&self, operation: &Operation) -> String {
        // a received server belongs to somebody else
        let is_received = operation.has("owner") && (operation.has("user") || operation.has("group"));
        let owner = if is_received { "owner" } else { &self.user };
        operation
            .path
            .replace("{user}", &self.user)
            .replace("{owner}", owner)
            .replace("{server}", &self.server)
            .replace("{group}", &self.group)
            .replace("{service}", &self.service)
            .replace("{profile}", "gpu")
            .replace("{name}", "jupyterhub-hub-login")
            .replace("{value}", "no-such-cookie")
            .replace("{id}", &self.token_id)
            .replace("{token}", &self.token)
    }

    /// The filter of this kind that names the target, or something else that is there.
    pub(super) fn filter(&self, operation: &Operation, filter: Filter, reach: Reach) -> String {
        let server = if operation.has("server") { self.server.as_str() } else { "" };
        let received = operation.has("owner") && operation.has("user");
        match (filter, reach) {
            (Filter::User, Reach::Target) => format!("user={}", self.user),
            (Filter::Group, Reach::Target) => format!("group={}", self.group),
            (Filter::Server, Reach::Target) if received => "server=owner/lab".to_owned(),
            (Filter::Server, Reach::Target) => format!("server={}/{server}", self.user),
            (Filter::Service, Reach::Target) => format!("service={}", self.service),
            (Filter::User, Reach::Elsewhere) => "user=other".to_owned(),
            (Filter::Group, Reach::Elsewhere) => "group=elsewhere".to_owned(),
            (Filter::Server, Reach::Elsewhere) => format!("server={}/elsewhere", self.user),
            (Filter::Service, Reach::Elsewhere) => "service=bare".to_owned(),
        }
    }
}
