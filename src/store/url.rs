//! Database URLs: which backend one names, and what of it may be shown (CFG-036).

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use super::StoreError;

/// What stands for a password in messages.
const HIDDEN: &str = "***";

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An SQLite database that lives as long as its one connection.
    Memory,
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL, its password included.
    Postgres(String),
}

/// The backend that `url` names. Never guesses: a URL of another scheme must not silently become an SQLite file.
pub(super) fn target(url: &str) -> Result<Target, StoreError> {
    let bad = |problem| StoreError::BadUrl { url: without_password(url), problem };
    match url.split_once("://") {
        Some(("postgresql" | "postgres", rest)) => {
            well_formed(rest).map_err(bad)?;
            Ok(Target::Postgres(url.to_owned()))
        }
        Some(_) => Err(bad("has a scheme that is not supported")),
        None if url.is_empty() => Err(bad("is empty")),
        None if url.contains('\0') => Err(bad("holds a NUL character")),
        None if url == ":memory:" => Ok(Target::Memory),
        None => Ok(Target::File(PathBuf::from(url))),
    }
}

/// Refuses what libpq would refuse with a message that quotes pieces of the password.
fn well_formed(rest: &str) -> Result<(), &'static str> {
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = tail.split('?').next().unwrap_or_default();
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    if login.contains('@') || path.contains('@') {
        return Err("has an `@`, `/`, `?` or `#` in its user name or password: write %40, %2F, %3F or %23");
    }
    for host in hosts.split(',') {
        let port = host.rsplit_once(']').map_or(host, |(_, after)| after);
        let digits = port.rsplit_once(':').map_or("", |(_, digits)| digits);
        if !digits.is_empty() && digits.parse::<u16>().is_err() {
            return Err("has a port that is not a number");
        }
    }
    Ok(())
}

/// The URL as it may be shown: without password. Hides too much rather than too little of a malformed one.
#[must_use]
pub fn without_password(url: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let pairs = query.map(|query| query.split('&').map(hide_password_pair).collect::<Vec<_>>().join("&"));
    let shown = pairs.map_or_else(|| base.to_owned(), |pairs| format!("{base}?{pairs}"));
    match login(&shown) {
        Some((before, _, after)) => format!("{before}:{HIDDEN}@{after}"),
        None => shown,
    }
}

/// Splits a URL at its password: what is before `:`, the password, what is after `@`. The last `@` of all counts: an
/// unescaped `/` or `?` in a password must not end it.
fn login(url: &str) -> Option<(&str, &str, &str)> {
    let (login, after) = url.rsplit_once('@')?;
    let name = login.find("://")? + 3;
    let colon = name + login.get(name..)?.find(':')?;
    Some((login.get(..colon)?, login.get(colon + 1..)?, after))
}

fn hide_password_pair(pair: &str) -> String {
    match password_pair(pair) {
        Some((key, _)) => format!("{key}={HIDDEN}"),
        None => pair.to_owned(),
    }
}

fn password_pair(pair: &str) -> Option<(&str, &str)> {
    pair.split_once('=').filter(|(key, _)| key.to_ascii_lowercase().contains("password"))
}

/// `message` without the passwords of `url`, as written and percent-decoded.
pub(super) fn scrub(message: &str, url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let passwords = query.split('&').filter_map(password_pair).map(|(_, value)| value);
    let passwords = passwords.chain(login(url).map(|(_, password, _)| password));
    passwords.filter(|password| !password.is_empty()).fold(message.to_owned(), |shown, password| {
        let decoded = percent_decode_str(password).decode_utf8_lossy();
        shown.replace(password, HIDDEN).replace(decoded.as_ref(), HIDDEN)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cfg_036_a_shown_url_has_no_password() {
        let table = [
            ("postgresql://hub:s3cret@db:5432/hub", "postgresql://hub:***@db:5432/hub"),
            (
                "postgresql://hub@db/hub?password=s3cret&sslmode=require",
                "postgresql://hub@db/hub?password=***&sslmode=require",
            ),
            ("postgresql://hub:a/b?c@d@db/hub", "postgresql://hub:***@db/hub"),
            ("mysql://hub:s3cret@db/hub", "mysql://hub:***@db/hub"),
            ("postgresql://sql:sql@sql/sql", "postgresql://sql:***@sql/sql"),
            ("postgresql://hub@db/hub?sslpassword=a@b", "postgresql://hub@db/hub?sslpassword=***"),
            ("postgresql://hub@db:5432/hub", "postgresql://hub@db:5432/hub"),
            ("/var/lib/orrery/orrery.sqlite", "/var/lib/orrery/orrery.sqlite"),
        ];
        for (url, shown) in table {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn cfg_036_a_bad_url_is_refused_without_quoting_the_password() {
        for url in [
            "mysql://u:hunter2@h/d",
            "postgresql://u:hunter2/x@h/d",
            "postgresql://u:hunter2@h:port/d",
            "postgresql://u:hun@ter2@h/d",
        ] {
            let message = target(url).unwrap_err().to_string();
            assert!(!message.contains("hunter2") && !message.contains("ter2"), "{message}");
        }
    }

    #[test]
    fn the_scheme_picks_the_backend() {
        assert_eq!(target(":memory:").unwrap(), Target::Memory);
        assert_eq!(target("host=db dbname=hub").unwrap(), Target::File("host=db dbname=hub".into()));
        assert!(matches!(target("postgres://db/hub").unwrap(), Target::Postgres(_)));
        assert!(matches!(target("postgresql://u:p@[::1]:5432,db2:5433/hub").unwrap(), Target::Postgres(_)));
        assert!(target("").is_err());
    }

    proptest! {
        #[test]
        fn cfg_036_no_password_survives_scrubbing(password in "[!-)+-~]{1,20}") {
            let url = format!("postgresql://hub:{password}@db/hub");
            prop_assert_eq!(scrub(&password, &url).replace(HIDDEN, ""), "");
            let shown = without_password(&url);
            let fully_hidden = shown == "postgresql://hub:***@db/hub";
            prop_assert!(fully_hidden || (password.contains('?') && !shown.contains(&password)), "{}", shown);
        }
    }
}
