use clap::Parser;

use super::*;

fn parse(options: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once(&"orrery-proxy").chain(options))
}

fn outcome(options: &[&str]) -> Result<Settings, UsageError> {
    Settings::new(parse(options).unwrap(), &|_| None)
}

fn settings(options: &[&str]) -> Settings {
    outcome(options).unwrap()
}

fn tcp(host: &str, port: u16) -> Place {
    Place::Tcp(host.to_owned(), port)
}

/// Every option of section 5, with a value where it takes one.
const ALL: &[&[&str]] = &[
    &["-V"],
    &["--version"],
    &["--ip", "127.0.0.1"],
    &["--ip", ""],
    &["--ip="],
    &["--port", "1"],
    &["--port=1"],
    &["--socket", "/s"],
    &["--ssl-key", "k"],
    &["--ssl-cert", "c"],
    &["--ssl-ca", "a"],
    &["--ssl-request-cert"],
    &["--ssl-reject-unauthorized"],
    &["--ssl-protocol", "TLSv1_2"],
    &["--ssl-ciphers", "ECDHE-RSA-AES128-GCM-SHA256:!RC4"],
    &["--ssl-allow-rc4"],
    &["--ssl-dhparam", "f"],
    &["--api-ip", "localhost"],
    &["--api-port", "2"],
    &["--api-socket", "/s"],
    &["--api-ssl-key", "k"],
    &["--api-ssl-cert", "c"],
    &["--api-ssl-ca", "a"],
    &["--api-ssl-request-cert"],
    &["--api-ssl-reject-unauthorized"],
    &["--client-ssl-key", "k"],
    &["--client-ssl-cert", "c"],
    &["--client-ssl-ca", "a"],
    &["--client-ssl-request-cert"],
    &["--client-ssl-reject-unauthorized"],
    &["--default-target", "http://h"],
    &["--error-target", "http://h"],
    &["--error-path", "/d"],
    &["--redirect-port", "80"],
    &["--redirect-to", "443"],
    &["--pid-file", "p"],
    &["--no-x-forward"],
    &["--no-prepend-path"],
    &["--no-include-prefix"],
    &["--auto-rewrite"],
    &["--protocol-rewrite", "https"],
    &["--change-origin"],
    &["--custom-header", "k1:v1", "--custom-header", "k2:v2"],
    &["--insecure"],
    &["--host-routing"],
    &["--metrics-ip", "::1"],
    &["--metrics-port", "3"],
    &["--metrics-socket", "/s"],
    &["--log-level", "debug"],
    &["--timeout", "1000"],
    &["--proxy-timeout", "1000"],
    &["--storage-backend", "memory"],
    &["--keep-alive-timeout", "1000"],
];

#[test]
fn proxy_020_every_option_of_chp_is_known() {
    for options in ALL {
        assert!(parse(options).is_ok(), "{options:?}: {}", parse(options).unwrap_err());
    }
}

#[test]
fn proxy_020_places_have_the_defaults_of_chp() {
    for (options, public, api) in [
        (&[][..], tcp("", 8000), tcp("localhost", 8001)),
        (&["--port", "9000"], tcp("", 9000), tcp("localhost", 9001)),
        (&["--ip", "*"], tcp("", 8000), tcp("localhost", 8001)),
        (&["--ip", "::1", "--api-ip", "0.0.0.0"], tcp("::1", 8000), tcp("0.0.0.0", 8001)),
        (&["--socket", "/p"], Place::Unix("/p".into()), tcp("localhost", 8001)),
        (&["--socket", "/p", "--api-socket", "/a"], Place::Unix("/p".into()), Place::Unix("/a".into())),
        (&["--port", "0"], tcp("", 0), tcp("localhost", 0)),
        (&["--port", "65535", "--api-port", "1"], tcp("", 65535), tcp("localhost", 1)),
    ] {
        let settings = settings(options);
        assert_eq!((settings.public, settings.api), (public, api), "{options:?}");
    }
    assert_eq!(outcome(&["--port", "65535"]).unwrap_err(), UsageError::NoApiPort);
    assert_eq!(settings(&["--metrics-port", "3"]).metrics, Some(tcp("", 3)));
    assert_eq!(settings(&["--metrics-socket", "/m"]).metrics, Some(Place::Unix("/m".into())));
    assert_eq!(settings(&[]).metrics, None);
}

#[test]
fn proxy_020_what_contradicts_itself_is_a_usage_error() {
    for options in [
        &["--socket", "/s", "--port", "1"][..],
        &["--socket", "/s", "--ip", "::1"],
        &["--api-socket", "/s", "--api-port", "1"],
        &["--api-socket", "/s", "--api-ip", "::1"],
        &["--nope"],
        &["positional"],
        &["--port", "abc"],
        &["--port", "65536"],
        &["--log-level", "loud"],
        &["--workers", "0"],
        &["--ssl-protocol", "SSLv3"],
        &["--ssl-ciphers", "nonsense"],
    ] {
        let error = parse(options).unwrap_err();
        assert!(error.use_stderr(), "{options:?}");
        let named = options.first().unwrap();
        assert!(error.to_string().contains(named), "{options:?}: {error}");
    }
    for (options, error) in [
        (&["--error-target", "http://h", "--error-path", "/d"][..], UsageError::TwoErrorSources),
        (&["--redirect-port", "80"], UsageError::RedirectWithoutTls),
        (&["--error-target", "nonsense"], UsageError::ErrorTarget(TargetError::NoScheme)),
        (&["--protocol-rewrite", "gopher"], UsageError::Protocol),
        (
            &["--custom-header", "nocolon"],
            UsageError::Header("A colon was expected in custom header: nocolon".to_owned()),
        ),
    ] {
        assert_eq!(outcome(options).unwrap_err(), error, "{options:?}");
    }
}

#[test]
fn proxy_018_the_redirecting_port_leads_to_the_public_one_unless_told_otherwise() {
    let of = |options: &[&str]| {
        settings(&[&["--ssl-key", "k", "--ssl-cert", "c", "--ip", "::1"][..], options].concat()).redirect
    };
    let redirect = |to| Some(Redirect { place: tcp("::1", 80), to });
    assert_eq!(of(&["--port", "8443", "--redirect-port", "80"]), redirect(None));
    assert_eq!(of(&["--port", "8443", "--redirect-port", "80", "--redirect-to", "443"]), redirect(Some(443)));
    assert_eq!(of(&["--port", "80", "--redirect-port", "8080"]), None);
    assert_eq!(of(&["--port", "8443"]), None);
}

#[test]
fn certificates_are_used_when_a_key_or_a_certificate_is_given() {
    let none = settings(&["--ssl-ca", "a", "--api-ssl-ca", "a", "--client-ssl-request-cert"]);
    assert!(none.public_tls.is_none() && none.api_tls.is_none() && none.client_tls.is_none());
    let some = settings(&["--ssl-key", "k", "--api-ssl-cert", "c", "--insecure"]);
    assert!(some.public_tls.is_some() && some.api_tls.is_some() && some.client_tls.unwrap().insecure);
    let asked = settings(&["--ssl-key", "k", "--ssl-request-cert", "--ssl-reject-unauthorized"]);
    assert_eq!(asked.public_tls.unwrap().client_auth, ClientAuth::Require);
}

#[test]
fn automatic_certificates_are_ordered_where_told_and_proven_by_the_ports_there_are() {
    let names = ["--acme-domain", "hub.test", "--acme-domain", "h2.test"];
    let of = |options: &[&str]| settings(&[&names[..], options].concat());
    let usual = of(&[]);
    assert!(usual.public_tls.is_some() && usual.public_tls.unwrap().cert.is_none());
    let acme = usual.acme.unwrap();
    assert_eq!((acme.domains.len(), acme.directory), (2, Directory::LetsEncrypt));
    assert_eq!(acme.challenges, [Challenge::TlsAlpn01]);
    let both = of(&["--redirect-port", "80", "--acme-staging"]);
    assert!(both.redirect.is_some());
    let acme = both.acme.unwrap();
    assert_eq!(acme.challenges, [Challenge::TlsAlpn01, Challenge::Http01]);
    assert_eq!(acme.directory, Directory::LetsEncryptStaging);
    let own = of(&["--acme-directory", "https://ca.test/dir", "--acme-challenge", "http-01"]).acme.unwrap();
    assert_eq!(own.challenges, [Challenge::Http01]);
    assert_eq!(own.directory, Directory::Url("https://ca.test/dir".to_owned()));
    assert!(settings(&[]).acme.is_none());
    for options in [
        &["--acme-domain", "a", "--ssl-key", "k"][..],
        &["--acme-staging"],
        &["--acme-domain", "a", "--acme-staging", "--acme-directory", "u"],
        &["--acme-domain", "a", "--acme-challenge", "dns-01"],
    ] {
        assert!(parse(options).is_err(), "{options:?}");
    }
    assert_eq!(outcome(&["--acme-domain", "a", "--acme-eab-id", "i"]).unwrap_err(), UsageError::NoAccountKey);
}

#[test]
fn secrets_come_from_the_environment_and_an_empty_token_is_none() {
    let with = |value: &str| {
        let value = value.to_owned();
        let options = parse(&["--ssl-key", "k"]).unwrap();
        Settings::new(options, &move |name| (name != "NOPE").then(|| value.clone())).unwrap()
    };
    assert!(with("secret").token.is_some() && with("").token.is_none());
    let shown = format!("{:?}", with("secret-word"));
    assert!(!shown.contains("secret-word"), "{shown}");
}

#[test]
fn a_timeout_of_zero_is_none() {
    let settings = settings(&["--timeout", "0", "--proxy-timeout", "250", "--keep-alive-timeout", "1000"]);
    assert_eq!(
        (settings.client_timeout, settings.response_timeout, settings.keep_alive),
        (None, Some(Duration::from_millis(250)), Some(Duration::from_secs(1)))
    );
}

#[test]
fn what_is_ignored_or_dangerous_is_warned_about() {
    assert!(settings(&[]).warnings.is_empty());
    let options =
        ["--ssl-allow-rc4", "--ssl-dhparam", "f", "--storage-backend", "x", "--insecure", "--ip", "*"];
    assert_eq!(settings(&options).warnings.len(), 5);
}

#[test]
fn sec_095_the_listed_proxies_are_believed_and_without_a_list_everybody_is() {
    let trust = |options: &[&str]| settings(options).forwarding.trust;
    assert!(trust(&[]).is_none());
    let listed = trust(&["--trusted-proxies", "127.0.0.0/8,::1"]).unwrap();
    for (address, believed) in [("127.0.0.1", true), ("::1", true), ("192.0.2.7", false), ("::2", false)] {
        assert_eq!(listed.holds(address.parse().unwrap()), believed, "{address}");
    }
    assert!(parse(&["--trusted-proxies", "localhost"]).is_err());
}
