//! The values of a policy's keys.

use std::ops::RangeInclusive;

use super::{Cgroups, OWN_VARIABLES, Pattern};

/// Digits only: neither sign nor space.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or("expected a number")
}

pub(super) fn range(text: &str) -> Result<RangeInclusive<u32>, &'static str> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (number(from.trim())?, number(to.trim())?);
    if from == 0 {
        Err("uid 0 is never served")
    } else if from > to {
        Err("the range is empty")
    } else {
        Ok(from..=to)
    }
}

pub(super) fn duration(text: &str) -> Result<u64, &'static str> {
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) => (digits, text.chars().next_back()),
        None => (text, None),
    };
    let seconds = match unit {
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 24 * 3600,
        _ => 1,
    };
    let value: u64 = number(digits.trim())?;
    let seconds = value.checked_mul(seconds).ok_or("the time is too long")?;
    if seconds == 0 || seconds > 3660 * 24 * 3600 {
        Err("expected a time from 1s to 3660d")
    } else {
        Ok(seconds)
    }
}

pub(super) fn short(seconds: u64) -> Result<u32, &'static str> {
    u32::try_from(seconds).ok().filter(|seconds| *seconds <= 3600).ok_or("expected at most one hour")
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected `yes` or `no`"),
    }
}

pub(super) fn cgroups(text: &str) -> Result<Cgroups, &'static str> {
    match text {
        "require" => Ok(Cgroups::Require),
        "try" => Ok(Cgroups::Try),
        "off" => Ok(Cgroups::Off),
        _ => Err("expected `require`, `try` or `off`"),
    }
}

/// A file name in `/etc/pam.d`, not a path.
pub(super) fn service(text: &str) -> Result<String, &'static str> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if text.bytes().all(fine) { Ok(text.to_owned()) } else { Err("expected the name of a PAM service") }
}

pub(super) fn absolute(text: &str) -> Result<String, &'static str> {
    let plain = text.starts_with('/') && !text.split('/').any(|part| part == "." || part == "..");
    if plain { Ok(text.to_owned()) } else { Err("expected an absolute path without `.` and `..`") }
}

pub(super) fn search_path(text: &str) -> Result<String, &'static str> {
    text.split(':').try_for_each(|folder| absolute(folder).map(drop))?;
    Ok(text.to_owned())
}

pub(super) fn variable(text: &str) -> Result<Pattern, &'static str> {
    let name = text.strip_suffix('*').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err("expected the name of a variable, with a final `*` for all that begin so");
    }
    if OWN_VARIABLES.contains(&text) {
        return Err("this variable follows from the account");
    }
    if text != name && name.len() < 3 {
        return Err("expected at least three characters before `*`");
    }
    Ok(Pattern::parse(text))
}

/// Names with slashes between them: `orrery`, `system.slice/orrery.slice`.
pub(super) fn cgroup(text: &str) -> Result<String, &'static str> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(fine);
    if text.split('/').all(part) {
        Ok(text.to_owned())
    } else {
        Err("expected a control group, such as `orrery`")
    }
}
