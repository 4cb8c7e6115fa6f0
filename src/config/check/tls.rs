//! What of `[tls]` does not go together.

use super::super::Config;
use super::super::address::HttpUrl;
use super::super::load::Report;
use super::super::tls::{AcmeChallenge, AcmeConfig, ClientAuth};

/// Checks `[tls]` and `[tls.acme]`.
pub(super) fn check(config: &Config, report: &mut Report) {
    let (tls, acme) = (&config.tls, &config.tls.acme);
    let requires = tls.client_auth == ClientAuth::Require;
    if requires && tls.ca.as_os_str().is_empty() {
        report.wrong_at(
            "tls.ca",
            "needed: which authorities vouch for the browsers that must show a certificate",
        );
    }
    if config.proxy.redirect_port.is_some() && !tls.is_on() {
        report.wrong_at("proxy.redirect_port", "there is no HTTPS to redirect to: set `tls.cert`");
    }
    if acme.domains.is_empty() {
        return;
    }
    if tls.has_files() {
        report.wrong_at(
            "tls.acme.domains",
            "the certificate already comes from `tls.cert`; remove one of them",
        );
    }
    if requires && acme.challenges.contains(&AcmeChallenge::TlsAlpn01) {
        report.wrong_at(
            "tls.acme.challenges",
            "with `tls.client_auth = \"require\"` the authority cannot get in by `tls-alpn-01`; use `http-01`",
        );
    }
    if acme.challenges.contains(&AcmeChallenge::Http01) && config.proxy.redirect_port.is_none() {
        report.wrong_at(
            "tls.acme.challenges",
            "`http-01` is answered at `proxy.redirect_port`, which is not set",
        );
    }
    order(acme, report);
}

fn order(acme: &AcmeConfig, report: &mut Report) {
    for odd in acme.domains.iter().filter(|name| !is_host_name(name)) {
        let reason = format!("{odd:?}: expected a host name in ASCII; addresses and wildcards cannot be had");
        report.wrong_at("tls.acme.domains", reason);
    }
    if acme.challenges.is_empty() {
        report.wrong_at("tls.acme.challenges", "expected `tls-alpn-01`, `http-01` or both");
    }
    let named = ["letsencrypt", "letsencrypt-staging"].contains(&acme.directory.as_str());
    let secure = HttpUrl::parse(&acme.directory).is_ok_and(|url| url.scheme == "https");
    if !named && !secure {
        let reason =
            format!("expected letsencrypt, letsencrypt-staging or an https URL, not {:?}", acme.directory);
        report.wrong_at("tls.acme.directory", reason);
    }
    if acme.external_account_id.is_empty() != acme.external_account_key.is_empty() {
        let reason = "`external_account_id` and `external_account_key` go together";
        report.wrong_at("tls.acme.external_account_id", reason);
    }
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last_is_word =
        name.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()));
    name.len() <= 253 && name.split('.').all(label) && last_is_word
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{problems, reading};

    const ACME: &str = "[tls.acme]\ndomains = [\"hub.example.org\"]\n";

    #[test]
    fn a_certificate_comes_from_files_or_from_an_authority() {
        assert!(reading(ACME).config.tls.is_on());
        assert!(reading("tls.cert = \"all.pem\"").config.tls.is_on());
        assert!(!reading("").config.tls.is_on());
        assert_eq!(reading("tls.cert = \"all.pem\"").config.proxy.bind_url, "https://:8000/");
        assert!(
            problems(&format!("{ACME}[tls]\ncert = \"a.pem\""))
                .contains("`tls.acme.domains`: the certificate")
        );
    }

    #[test]
    fn names_that_no_authority_can_check_are_refused() {
        for odd in ["*.example.org", "192.0.2.1", "::1", "b\u{fc}cher.example", "a..b", "-a.org", "a b"] {
            let found = problems(&format!("[tls.acme]\ndomains = [\"ok.example.org\", {odd:?}]"));
            assert!(found.contains(&format!("{odd:?}: expected a host name")), "{found}");
            assert!(!found.contains("ok.example.org"), "{found}");
        }
    }

    #[test]
    fn required_certificates_need_authorities_and_a_way_in_for_the_certificate_authority() {
        let found = problems(&format!("{ACME}[tls]\nclient_auth = \"require\""));
        assert!(found.contains("`tls.ca`: needed") && found.contains("use `http-01`"), "{found}");
        reading("[tls]\ncert = \"a.pem\"\nca = \"people.pem\"\nclient_auth = \"require\"");
    }

    #[test]
    fn http_01_and_redirects_need_each_other_s_ports() {
        let by_http = format!("{ACME}challenges = [\"http-01\"]\n");
        assert!(problems(&by_http).contains("`http-01` is answered at `proxy.redirect_port`"));
        reading(&format!("{by_http}[proxy]\nredirect_port = 80"));
        assert!(problems("proxy.redirect_port = 80").contains("there is no HTTPS to redirect to"));
    }

    #[test]
    fn authorities_and_external_accounts_are_whole() {
        for good in ["letsencrypt", "letsencrypt-staging", "https://ca.example.org:14000/dir"] {
            reading(&format!("{ACME}directory = {good:?}"));
        }
        for bad in ["", "http://ca.example.org/dir", "lets-encrypt"] {
            assert!(
                problems(&format!("{ACME}directory = {bad:?}")).contains("`tls.acme.directory`"),
                "{bad}"
            );
        }
        assert!(problems(&format!("{ACME}external_account_id = \"x\"")).contains("go together"));
        let whole =
            reading(&format!("{ACME}external_account_id = \"x\"\nexternal_account_key = \"hunter2\""));
        assert!(!format!("{:?}", whole.config).contains("hunter2"));
    }

    #[test]
    fn versions_are_read_by_the_names_of_openssl_too() {
        use super::super::super::tls::MinVersion;
        assert_eq!(reading("tls.min_version = \"TLSv1_3\"").config.tls.min_version, MinVersion::Tls13);
        assert!(problems("tls.min_version = \"1.1\"").contains("\"1.2\", \"1.3\""));
    }
}
