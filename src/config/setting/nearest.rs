//! Finds the name that a mistyped one stands for.

/// The name that `name` most likely stands for, if one is close enough.
#[must_use]
pub fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let allowed = (name.chars().count() / 3).max(2);
    let ranked = names.iter().map(|known| (distance(name, known), *known));
    ranked.min().filter(|(far, _)| *far <= allowed).map(|(_, known)| known)
}

/// Levenshtein's distance: how many letters must be added, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let first: Vec<usize> = (0..=b.len()).collect();
    let row = |above: Vec<usize>, (i, x): (usize, char)| {
        let mut row = vec![i + 1];
        for (pair, y) in above.windows(2).zip(&b) {
            let left = row.last().copied().unwrap_or_default();
            let (corner, up) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            row.push((corner + usize::from(x != *y)).min(left + 1).min(up + 1));
        }
        row
    };
    a.chars().enumerate().fold(first, row).last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_within_a_third_of_the_letters() {
        let names = ["concurrent_spawns", "retry_after", "port"];
        assert_eq!(nearest("concurent_spawn", &names), Some("concurrent_spawns"));
        assert_eq!(nearest("prot", &names), Some("port"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
