//! The command line of a proxy that the hub starts: the reference's, in its order, and then what was configured besides.

use std::time::Duration;

use crate::config::ProxyConfig;
use crate::config::TlsConfig;
use crate::config::address::Endpoint;
use crate::config::tls::{ClientAuth, MinVersion};

/// The arguments after `proxy.command`.
#[must_use]
pub fn arguments(
    proxy: &ProxyConfig,
    tls: &TlsConfig,
    public: &Endpoint,
    api: &Endpoint,
    hub_errors: &str,
) -> Vec<String> {
    let mut line = Line::default();
    line.listener(public, ["--ip", "--port", "--socket"]);
    line.listener(api, ["--api-ip", "--api-port", "--api-socket"]);
    match proxy.error_path.to_str() {
        Some(path) if !path.is_empty() => line.pair("--error-path", path),
        _ if proxy.error_target.is_empty() => line.pair("--error-target", hub_errors),
        _ => line.pair("--error-target", &proxy.error_target),
    }
    line.pair("--log-level", &proxy.log_level.0.as_str().to_ascii_lowercase());
    line.file("--ssl-key", &tls.key);
    line.file("--ssl-cert", &tls.cert);
    line.certificates(tls);
    line.options(proxy);
    line.0
}

#[derive(Default)]
struct Line(Vec<String>);

impl Line {
    fn pair(&mut self, name: &str, value: &str) {
        self.0.extend([name.to_owned(), value.to_owned()]);
    }

    fn flag(&mut self, name: &str, given: bool) {
        self.0.extend(given.then(|| name.to_owned()));
    }

    fn file(&mut self, name: &str, path: &std::path::Path) {
        if !path.as_os_str().is_empty() {
            self.pair(name, &path.display().to_string());
        }
    }

    fn port(&mut self, name: &str, port: Option<u16>) {
        if let Some(port) = port {
            self.pair(name, &port.to_string());
        }
    }

    fn milliseconds(&mut self, name: &str, duration: Duration) {
        if !duration.is_zero() {
            self.pair(name, &duration.as_millis().to_string());
        }
    }

    fn listener(&mut self, endpoint: &Endpoint, [ip, port, socket]: [&str; 3]) {
        match endpoint {
            Endpoint::Tcp { host, port: number } => {
                self.pair(ip, host);
                self.pair(port, &number.to_string());
            }
            Endpoint::Unix(path) => self.pair(socket, &path.display().to_string()),
        }
    }

    fn certificates(&mut self, tls: &TlsConfig) {
        self.file("--ssl-ca", &tls.ca);
        self.flag("--ssl-request-cert", tls.client_auth != ClientAuth::Off);
        self.flag("--ssl-reject-unauthorized", tls.client_auth == ClientAuth::Require);
        if tls.min_version == MinVersion::Tls13 {
            self.pair("--ssl-protocol", "TLSv1_3");
        }
        if !tls.ciphers.is_empty() {
            self.pair("--ssl-ciphers", &tls.ciphers.join(":"));
        }
    }

    fn options(&mut self, proxy: &ProxyConfig) {
        self.port("--redirect-port", proxy.redirect_port);
        self.port("--redirect-to", proxy.redirect_to);
        self.flag("--no-x-forward", !proxy.x_forwarded);
        self.flag("--no-prepend-path", !proxy.prepend_path);
        self.flag("--no-include-prefix", !proxy.include_prefix);
        self.flag("--auto-rewrite", proxy.auto_rewrite);
        if !proxy.protocol_rewrite.is_empty() {
            self.pair("--protocol-rewrite", &proxy.protocol_rewrite);
        }
        self.flag("--change-origin", proxy.change_origin);
        for (name, value) in &proxy.headers {
            self.pair("--custom-header", &format!("{name}: {value}"));
        }
        self.milliseconds("--timeout", proxy.client_timeout);
        self.milliseconds("--proxy-timeout", proxy.target_timeout);
        if proxy.keep_alive != ProxyConfig::default().keep_alive {
            self.pair("--keep-alive-timeout", &proxy.keep_alive.as_millis().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port }
    }

    fn line(proxy: &ProxyConfig, tls: &TlsConfig, public: &Endpoint, api: &Endpoint) -> String {
        arguments(proxy, tls, public, api, "http://127.0.0.1:8081/hub/error").join(" ")
    }

    #[test]
    fn the_reference_s_arguments_come_in_its_order() {
        let (proxy, tls) = (ProxyConfig::default(), TlsConfig::default());
        assert_eq!(
            line(&proxy, &tls, &tcp("", 8000), &tcp("127.0.0.1", 8001)),
            "--ip  --port 8000 --api-ip 127.0.0.1 --api-port 8001 \
             --error-target http://127.0.0.1:8081/hub/error --log-level info"
        );
        let tls = TlsConfig {
            key: "k.pem".into(),
            cert: "c.pem".into(),
            ca: "a.pem".into(),
            client_auth: ClientAuth::Require,
            min_version: MinVersion::Tls13,
            ciphers: vec!["A".to_owned(), "B".to_owned()],
            ..tls
        };
        let sockets = (Endpoint::Unix("/run/p".into()), Endpoint::Unix("/run/a".into()));
        assert_eq!(
            line(&proxy, &tls, &sockets.0, &sockets.1),
            "--socket /run/p --api-socket /run/a --error-target http://127.0.0.1:8081/hub/error --log-level info \
             --ssl-key k.pem --ssl-cert c.pem --ssl-ca a.pem --ssl-request-cert --ssl-reject-unauthorized \
             --ssl-protocol TLSv1_3 --ssl-ciphers A:B"
        );
    }

    #[test]
    fn what_is_configured_besides_comes_last() {
        let proxy = ProxyConfig {
            error_path: "/pages".into(),
            x_forwarded: false,
            prepend_path: false,
            include_prefix: false,
            auto_rewrite: true,
            protocol_rewrite: "https".to_owned(),
            change_origin: true,
            headers: [("X-A".to_owned(), "b".to_owned())].into(),
            client_timeout: Duration::from_secs(1),
            target_timeout: Duration::from_secs(2),
            keep_alive: Duration::from_secs(3),
            redirect_port: Some(80),
            redirect_to: Some(443),
            ..ProxyConfig::default()
        };
        assert_eq!(
            line(&proxy, &TlsConfig::default(), &tcp("h", 1), &tcp("h", 2)),
            "--ip h --port 1 --api-ip h --api-port 2 --error-path /pages --log-level info --redirect-port 80 \
             --redirect-to 443 --no-x-forward --no-prepend-path --no-include-prefix --auto-rewrite \
             --protocol-rewrite https --change-origin --custom-header X-A: b --timeout 1000 --proxy-timeout 2000 \
             --keep-alive-timeout 3000"
        );
    }
}
