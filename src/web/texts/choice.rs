//! Which language a browser wants (RFC 9110, 12.5.4; RFC 4647, 3.4).

/// More languages than anybody speaks.
const MOST: usize = 32;

/// The place in `offered` of what fits the header best; `None` if nothing does.
pub(super) fn best(accepted: &str, offered: &[&str]) -> Option<usize> {
    let mut ranges: Vec<(&str, u16)> = accepted.split(',').take(MOST).filter_map(range).collect();
    // stable: of equal weight, the one named first
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    ranges.into_iter().find_map(|(tag, _)| find(tag, offered))
}

/// A language and its weight in thousandths; `None` for what is not wanted, and for nonsense.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))) {
        None => 1000,
        Some(weight) => thousandths(weight)?,
    };
    (weight > 0).then_some((tag, weight))
}

fn thousandths(weight: &str) -> Option<u16> {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    if part.len() > 3 {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    let whole: u16 = whole.parse().ok()?;
    Some(whole.checked_mul(1000)?.checked_add(part)?.min(1000))
}

/// The language itself, else a more general one, else one that is more exact.
fn find(tag: &str, offered: &[&str]) -> Option<usize> {
    if tag == "*" {
        return Some(0).filter(|_| !offered.is_empty());
    }
    let mut general = tag;
    loop {
        if let Some(found) = offered.iter().position(|known| known.eq_ignore_ascii_case(general)) {
            return Some(found);
        }
        let Some((shorter, _)) = general.rsplit_once('-') else { break };
        general = shorter;
    }
    offered.iter().position(|known| {
        known.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case(general))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_of_those_that_are_there() {
        let offered = ["en", "de", "pt-BR", "de-AT"];
        for (accepted, expected) in [
            ("de", Some("de")),
            ("DE-at", Some("de-AT")),
            ("de-CH, en;q=0.8", Some("de")),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some("en")),
            ("en;q=0.5,de;q=0.501", Some("de")),
            ("de;q=0, en", Some("en")),
            ("fr, *;q=0.1", Some("en")),
            ("pt", Some("pt-BR")),
            ("fr", None),
            ("", None),
            (";q=1, , ;;;", None),
            ("de;q=nonsense", None),
            ("de;q=0.5000", None),
            ("de;q=99999999", None),
        ] {
            assert_eq!(best(accepted, &offered).map(|found| offered[found]), expected, "{accepted}");
        }
        assert_eq!(best("*", &[]), None);
        assert_eq!(best(&"xx,".repeat(10_000), &offered), None);
    }
}
