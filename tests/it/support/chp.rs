//! A configurable-http-proxy of the reference, as an operator runs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::hub::{Reply, agent, eventually, free_port, request};

/// The program; `make chp` installs it. Without it the tests of it pass unseen, unless `ORRERY_REQUIRE_CHP` is set.
pub(crate) fn program() -> Option<PathBuf> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(".dev/chp/node_modules/.bin/configurable-http-proxy");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("ORRERY_REQUIRE_CHP").is_none(), "{} is missing: make chp", path.display());
    eprintln!("skipped: {} is missing: make chp", path.display());
    None
}

/// One running proxy. Ended when dropped.
pub(crate) struct Chp {
    process: Child,
    pub(crate) port: u16,
    pub(crate) api: u16,
    pub(crate) token: String,
}

impl Chp {
    /// `None` where there is no such program.
    pub(crate) fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// With more arguments.
    pub(crate) fn with(arguments: &[&str]) -> Option<Self> {
        Self::launch(free_port(), free_port(), arguments)
    }

    pub(crate) fn at(port: u16, api: u16) -> Option<Self> {
        Self::launch(port, api, &[])
    }

    fn launch(port: u16, api: u16, arguments: &[&str]) -> Option<Self> {
        let token = format!("token-of-{api}");
        let mut process = Command::new(program()?)
            .args(["--ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--api-ip", "127.0.0.1", "--api-port", &api.to_string()])
            .args(arguments)
            .env("CONFIGPROXY_AUTH_TOKEN", &token)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the proxy to listen", || {
            assert!(process.try_wait().unwrap().is_none(), "the proxy ended");
            std::net::TcpStream::connect(("127.0.0.1", api)).ok()
        });
        Some(Self { process, port, api, token })
    }

    /// What a hub needs to know to drive it.
    pub(crate) fn settings(&self) -> String {
        let (api, token) = (self.api, &self.token);
        format!(
            "proxy.type = \"external\"\nproxy.api_url = \"http://127.0.0.1:{api}\"\nproxy.auth_token = \"{token}\"\n"
        )
    }

    /// Ends it, and starts another one at the same ports, without routes.
    pub(crate) fn restart(&mut self) {
        self.end();
        *self = Self::at(self.port, self.api).unwrap();
    }

    fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn api(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        api(self.api, &self.token, method, path, body)
    }

    /// Path to entry.
    pub(crate) fn routes(&self) -> HashMap<String, Value> {
        let reply = self.api("GET", "", None);
        assert_eq!(reply.status, 200);
        serde_json::from_str(&reply.body).unwrap()
    }
}

impl Drop for Chp {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// A call of a proxy's REST API.
pub(crate) fn api(port: u16, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
    let headers = [("authorization".to_owned(), format!("token {token}"))];
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    request(&agent(), method, &format!("http://127.0.0.1:{port}/api/routes{path}"), &headers, body)
}
