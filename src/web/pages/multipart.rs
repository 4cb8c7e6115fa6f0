//! Reading `multipart/form-data` (RFC 7578) that is wholly in memory: the form with which a server is started.

/// One field or file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name on the visitor's machine; `None` for a field that is no file.
    pub filename: Option<String>,
    /// The file's media type.
    pub content_type: String,
    /// What is in it.
    pub body: Vec<u8>,
}

/// The boundary that a `Content-Type` names, if it is that of a form.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let (_, boundary) = { named }.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    Some(boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty())
}

/// The parts of a form in their order. Parts without a name are left out, and so is a rest without an end.
#[must_use]
pub fn parse(body: &[u8], boundary: &str) -> Vec<Part> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let first = delimiter.get(2..).unwrap_or_default();
    let mut rest = match find(body, first) {
        Some(at) if at == 0 || body.get(..at).is_some_and(|before| before.ends_with(b"\r\n")) => {
            after(body, at + first.len())
        }
        _ => return Vec::new(),
    };
    let mut parts = Vec::new();
    while let Some(end) = find(rest, &delimiter) {
        parts.extend(rest.get(..end).and_then(part));
        rest = after(rest, end + delimiter.len());
    }
    parts
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn after(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// One part, from the end of its delimiter's line to the next delimiter.
fn part(text: &[u8]) -> Option<Part> {
    let head_end = find(text, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(text.get(..head_end)?);
    let header = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: parameter(disposition, "name")?,
        filename: parameter(disposition, "filename"),
        content_type: header("content-type").unwrap_or("application/unknown").to_owned(),
        body: after(text, head_end + 4).to_vec(),
    })
}

/// The value of `; wanted="..."`. Browsers write quotes and line breaks inside as `%22`, `%0D` and `%0A`; others put
/// a backslash before quotes.
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    let mut rest = disposition;
    loop {
        let (_, next) = rest.split_once(';')?;
        let (name, value) = next.split_once('=')?;
        let (text, behind) = quoted(value.trim_start());
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"));
        }
        rest = behind;
    }
}

/// A value, quoted or not, and what comes behind it.
fn quoted(value: &str) -> (String, &str) {
    let Some(inner) = value.strip_prefix('"') else {
        let end = value.find(';').unwrap_or(value.len());
        let (token, behind) = value.split_at_checked(end).unwrap_or((value, ""));
        return (token.trim().to_owned(), behind);
    };
    let mut text = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, inner.get(at + 1..).unwrap_or_default()),
            '\\' if inner.get(at + 1..).is_some_and(|next| next.starts_with(['"', '\\'])) => {
                text.extend(characters.next().map(|(_, escaped)| escaped));
            }
            _ => text.push(character),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, body: &str) -> Part {
        let content_type = "application/unknown".to_owned();
        Part { name: name.to_owned(), filename: None, content_type, body: body.into() }
    }

    #[test]
    fn only_forms_have_a_boundary() {
        assert_eq!(boundary("multipart/form-data; boundary=----x"), Some("----x"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), Some("a b"));
        for other in [
            "multipart/form-data",
            "multipart/mixed; boundary=x",
            "multipart/form-data; boundary=",
            "text/plain",
        ] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }

    #[test]
    fn fields_and_files_are_read_in_their_order() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"energy\"\r\n\r\n511\r\nkeV\r\n\
            --x\r\nContent-Disposition: form-data; name=\"doc\"; filename=\"a;%22b%22.bin\"\r\n\
            Content-Type: text/x\r\n\r\n\0\r\n-\r\n--x\r\ncontent-disposition: form-data; name=empty\r\n\r\n\r\n--x--\r\n";
        let file = Part {
            name: "doc".to_owned(),
            filename: Some("a;\"b\".bin".to_owned()),
            content_type: "text/x".to_owned(),
            body: b"\0\r\n-".to_vec(),
        };
        assert_eq!(parse(body, "x"), [field("energy", "511\r\nkeV"), file, field("empty", "")]);
    }

    #[test]
    fn quotes_may_be_escaped_with_a_backslash() {
        let disposition = r#"form-data; name="a\"b\\c"; filename="C:\dir\f""#;
        assert_eq!(parameter(disposition, "name").as_deref(), Some(r#"a"b\c"#));
        assert_eq!(parameter(disposition, "filename").as_deref(), Some(r"C:\dir\f"));
    }

    #[test]
    fn what_is_not_whole_is_left_out() {
        assert_eq!(parse(b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "x"), []);
        assert_eq!(parse(b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", "x"), []);
        assert_eq!(parse(b"z--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", "x"), []);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in prop::collection::vec(("[a-z]{1,5}", "[a-z\r\n-]{0,9}"), 0..5)) {
            let mut body = String::new();
            for (name, value) in &fields {
                body.push_str(&format!("--=Q=\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
            }
            body.push_str("--=Q=--\r\n");
            let expected: Vec<Part> = fields.iter().map(|(name, value)| field(name, value)).collect();
            prop_assert_eq!(parse(body.as_bytes(), "=Q="), expected);
        }

        #[test]
        fn reading_never_panics(body in "(--x|\r\n|:|;|=|\"|name|\\\\|[a-z]){0,30}") {
            let parts = parse(body.as_bytes(), "x");
            prop_assert!(parts.iter().all(|part| part.body.len() < body.len()));
        }
    }
}
