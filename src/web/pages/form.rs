//! What a page's form sent, and the proof that it was one of our pages that sent it.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use zeroize::Zeroize;

use super::multipart::{self, Part};
use super::visitor::{Visitor, hub_of};
use crate::domain::user_options::FormFile;
use crate::domain::xsrf;
use crate::web::error::{PageError, Refused};

/// The most that a stranger may send: a login form is small.
const STRANGERS_LIMIT: usize = 64 << 10;
/// The most that a user may send: the options of a server may hold files.
const USERS_LIMIT: usize = 16 << 20;

/// The fields of a form, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
    files: Vec<Part>,
}

impl Form {
    /// Reads a body; one that is no form has no fields.
    #[must_use]
    pub fn parse(content_type: &str, body: &[u8]) -> Self {
        if let Some(boundary) = multipart::boundary(content_type) {
            return Self::of_parts(multipart::parse(body, boundary));
        }
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::default();
        }
        Self { fields: form_urlencoded::parse(body).into_owned().collect(), files: Vec::new() }
    }

    /// A file field in which nothing was chosen comes as a file without a name, and counts as nothing.
    fn of_parts(parts: Vec<Part>) -> Self {
        let (files, fields): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| part.filename.is_some());
        let text = |part: Part| (part.name, String::from_utf8_lossy(&part.body).into_owned());
        let chosen = |part: &Part| part.filename.as_deref() != Some("") || !part.body.is_empty();
        Self {
            fields: fields.into_iter().map(text).collect(),
            files: files.into_iter().filter(chosen).collect(),
        }
    }

    /// The last value of a field.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every field.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = FormFile<'_>> {
        self.files.iter().map(|part| FormFile {
            field: &part.name,
            filename: part.filename.as_deref().unwrap_or_default(),
            content_type: &part.content_type,
            body: &part.body,
        })
    }
}

impl Drop for Form {
    /// One of the fields may be a password (SEC-051).
    fn drop(&mut self) {
        self.fields.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

/// A form that may come from anywhere: only for who checks it in a way of its own.
pub struct Unchecked {
    /// Who sent it.
    pub visitor: Visitor,
    /// What was sent.
    pub form: Form,
}

impl Unchecked {
    /// Checks the XSRF token.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn check(&self, hub: &crate::web::state::Hub) -> Result<(), Refused> {
        self.visitor.check_xsrf(hub, self.form.last(xsrf::NAME))
    }
}

/// A form whose XSRF token is in order.
pub struct Submission {
    /// Who sent it.
    pub visitor: Visitor,
    /// What was sent.
    pub form: Form,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 if there is more, 400 if the connection breaks.
pub async fn body(payload: web::Payload, limit: usize) -> Result<Bytes, Refused> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Refused::bad("The request ended too early.")),
        Err(_) => {
            let message = format!("The request is larger than the {} kB that are taken here.", limit >> 10);
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
    }
}

async fn receive(request: HttpRequest, payload: web::Payload) -> Result<Unchecked, PageError> {
    let hub = hub_of(&request)?;
    let visitor = Visitor::of(&request, &hub).await?;
    let limit = if visitor.user.is_some() { USERS_LIMIT } else { STRANGERS_LIMIT };
    let bytes = body(payload, limit).await?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = Form::parse(content_type.unwrap_or_default(), &bytes);
    Ok(Unchecked { visitor, form })
}

impl FromRequest for Unchecked {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|_| Refused::bad("The request has no body."))?;
            receive(request, payload).await
        })
    }
}

impl FromRequest for Submission {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let hub = hub_of(request);
        let received = Unchecked::from_request(request, payload);
        Box::pin(async move {
            let received = received.await?;
            received.check(&*hub?)?;
            let Unchecked { visitor, form } = received;
            Ok(Self { visitor, form })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_whatever_its_encoding() {
        let plain = Form::parse("application/x-www-form-urlencoded; charset=utf-8", b"a=1&b=x+y&a=%C3%A9");
        assert_eq!(plain.last("a"), Some("é"));
        assert_eq!(plain.all("a").collect::<Vec<_>>(), ["1", "é"]);
        let body = b"--q\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--q--";
        assert_eq!(Form::parse("multipart/form-data; boundary=q", body).last("a"), Some("1"));
        assert_eq!(Form::parse("application/json", b"{\"a\": 1}"), Form::default());
    }

    #[test]
    fn a_file_field_without_a_file_is_nothing() {
        let part = |filename: &str, body: &str| Part {
            name: "doc".to_owned(),
            filename: Some(filename.to_owned()),
            content_type: "application/octet-stream".to_owned(),
            body: body.into(),
        };
        let form = Form::of_parts(vec![part("", ""), part("x.txt", "")]);
        assert_eq!(form.files().map(|file| file.filename).collect::<Vec<_>>(), ["x.txt"]);
        assert_eq!(form.fields().count(), 0);
    }
}
