//! A keeper waits for days, and there are as many as servers. What it needed to start one, code of PAM modules above all,
//! does not stay in its memory: pages that are nothing but a file's content come back when they are used again.

use std::ops::Range;

use crate::sys::process;

/// Gives back what is not needed any more.
pub(crate) fn give_back() {
    for pages in plain_file_pages(&std::fs::read_to_string("/proc/self/smaps").unwrap_or_default()) {
        process::forget_file_pages(pages);
    }
    process::trim_memory();
}

/// Mappings that cannot be written to and of which no page was ever changed (relocations change some), by `smaps`.
fn plain_file_pages(smaps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        if let Some(mapping) = mapping(line) {
            candidate = mapping.1.then_some(mapping.0);
        } else if line.starts_with("Anonymous:") {
            let is_plain = line.split_ascii_whitespace().nth(1) == Some("0");
            found.extend(candidate.take().filter(|_| is_plain));
        }
    }
    found
}

/// The first line of a mapping, and whether it is one of a file that is only read or run.
fn mapping(line: &str) -> Option<(Range<usize>, bool)> {
    let mut fields = line.split_ascii_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let pages = usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?;
    let mode = fields.next()?;
    let is_file = fields.nth(3).is_some_and(|name| name.starts_with('/'));
    Some((pages, is_file && mode.ends_with('p') && !mode.contains('w')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unchanged_pages_of_files_are_given_back() {
        let smaps = "\
1000-2000 r-xp 00000000 08:01 17 /lib/libpam.so
Size: 4 kB
Anonymous:             0 kB
2000-3000 r--p 00001000 08:01 17 /lib/libpam.so
Anonymous:             4 kB
3000-4000 rw-p 00002000 08:01 17 /lib/libpam.so
Anonymous:             0 kB
4000-5000 rw-p 00000000 00:00 0 [heap]
Anonymous:             0 kB
5000-6000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
6000-7000 r--s 00000000 08:01 18 /some/shared file
Anonymous:             0 kB
";
        assert_eq!(plain_file_pages(smaps), vec![0x1000..0x2000]);
    }

    #[test]
    fn this_program_runs_on_after_it() {
        give_back();
        assert!(!plain_file_pages(&std::fs::read_to_string("/proc/self/smaps").unwrap()).is_empty());
    }
}
