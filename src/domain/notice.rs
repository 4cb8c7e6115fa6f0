//! What the operator tells everybody: an announcement, or that the hub is under maintenance and starts no servers.
//!
//! A notice may begin later and may end by itself; nobody has to be there for either.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The most characters of a message.
pub const LONGEST: usize = 2000;
/// What maintenance says unless the operator says something else.
pub const MAINTENANCE: &str = "The hub is under maintenance: no servers are started now.";
/// When who was refused may come back at the latest: the end may come sooner than announced.
const COME_BACK: u32 = 600;

/// What is wrong with the text or times of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Nothing to read.
    #[error("a message is needed")]
    Empty,
    /// More than anybody reads.
    #[error("a message has {LONGEST} characters at most")]
    TooLong,
    /// It would break the page, the log, or the terminal.
    #[error("a message must not hold control characters")]
    ControlCharacter,
    /// It would be over before it begins.
    #[error("the end must come after the beginning, and after now")]
    Times,
}

/// A text that may be shown to people: not empty, not long, and nothing in it but characters and lines. Forms send lines
/// with a carriage return at their end; a tab becomes a space.
///
/// # Errors
/// [`NoticeError`], but for the times.
pub fn plain_text(text: &str) -> Result<String, NoticeError> {
    let text = text.trim().replace("\r\n", "\n").replace('\t', " ");
    if text.is_empty() {
        return Err(NoticeError::Empty);
    }
    if text.chars().count() > LONGEST {
        return Err(NoticeError::TooLong);
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(NoticeError::ControlCharacter);
    }
    Ok(text)
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// No servers are started.
    Maintenance,
    /// Just a message.
    Announcement,
}

impl NoticeKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Maintenance, Self::Announcement];

    /// The word for it, in the database and in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Announcement => "announcement",
        }
    }
}

/// A message for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What is to be read; plain text.
    pub message: String,
    /// When it begins. Until then maintenance is shown as coming, and an announcement is not shown.
    pub from: DateTime<Utc>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    /// Who gave it.
    pub by: String,
}

impl Notice {
    /// A notice whose text and times are usable.
    ///
    /// # Errors
    /// [`NoticeError`].
    pub fn new(
        message: &str,
        (from, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, NoticeError> {
        let message = plain_text(message)?;
        let from = from.unwrap_or(now);
        if until.is_some_and(|until| until <= from || until <= now) {
            return Err(NoticeError::Times);
        }
        Ok(Self { message, from, until, by: by.to_owned() })
    }

    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether it has begun and is not over.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && !self.is_over(now)
    }
}

/// Why no server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What the operator says.
    pub message: String,
    /// After how many seconds asking again makes sense.
    pub retry_after: u32,
}

/// A notice on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Which of the two.
    pub kind: NoticeKind,
    /// What is to be read.
    pub message: String,
    /// When it begins, if that is still to come.
    pub begins: Option<String>,
    /// When it ends by itself.
    pub ends: Option<String>,
}

/// The notices that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// No servers are started.
    pub maintenance: Option<Notice>,
    /// Just a message.
    pub announcement: Option<Notice>,
}

impl Notices {
    /// The notice of a kind, unless it is over.
    #[must_use]
    pub fn get(&self, kind: NoticeKind, now: DateTime<Utc>) -> Option<&Notice> {
        let notice = match kind {
            NoticeKind::Maintenance => &self.maintenance,
            NoticeKind::Announcement => &self.announcement,
        };
        notice.as_ref().filter(|notice| !notice.is_over(now))
    }

    /// Puts a notice in place of the last one of its kind; `None` takes that away.
    #[must_use]
    pub fn with(mut self, kind: NoticeKind, notice: Option<Notice>) -> Self {
        match kind {
            NoticeKind::Maintenance => self.maintenance = notice,
            NoticeKind::Announcement => self.announcement = notice,
        }
        self
    }

    /// Why no server is started now, if so.
    #[must_use]
    pub fn closed(&self, now: DateTime<Utc>) -> Option<Closed> {
        let notice = self.maintenance.as_ref().filter(|notice| notice.holds(now))?;
        let left = notice.until.map(|until| (until - now).num_seconds().saturating_add(1));
        let left = left.and_then(|left| u32::try_from(left).ok()).unwrap_or(COME_BACK);
        Some(Closed { message: notice.message.clone(), retry_after: left.clamp(1, COME_BACK) })
    }

    /// What pages show, the weightier first: maintenance as soon as it is known, so that people can save their work.
    #[must_use]
    pub fn shown(&self, now: DateTime<Utc>) -> Vec<Shown> {
        let is_shown =
            |kind: &NoticeKind, notice: &Notice| *kind == NoticeKind::Maintenance || notice.holds(now);
        let kinds: BTreeSet<NoticeKind> = NoticeKind::ALL.into_iter().collect();
        let shown = kinds.into_iter().filter_map(|kind| {
            let notice = self.get(kind, now).filter(|notice| is_shown(&kind, notice))?;
            Some(Shown {
                kind,
                message: notice.message.clone(),
                begins: (notice.from > now).then(|| super::timestamp::format(notice.from)),
                ends: notice.until.map(super::timestamp::format),
            })
        });
        shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u32) -> DateTime<Utc> {
        crate::domain::timestamp::parse(&format!("2026-01-02T03:{minute:02}:00Z")).unwrap()
    }

    fn notice(from: u32, until: Option<u32>) -> Notice {
        Notice::new("Read this", (Some(at(from)), until.map(at)), "user:root", at(0)).unwrap()
    }

    #[test]
    fn maintenance_refuses_starts_between_its_beginning_and_its_end() {
        let notices = Notices::default().with(NoticeKind::Maintenance, Some(notice(10, Some(20))));
        let closed = |minute| notices.closed(at(minute)).map(|closed| closed.retry_after);
        assert_eq!([closed(9), closed(10), closed(19), closed(20)], [None, Some(600), Some(61), None]);
        assert_eq!(
            Notices::default().with(NoticeKind::Announcement, Some(notice(0, None))).closed(at(1)),
            None
        );
    }

    #[test]
    fn pages_show_coming_maintenance_but_no_coming_announcement_and_nothing_that_is_over() {
        let notices = Notices::default()
            .with(NoticeKind::Announcement, Some(notice(10, Some(20))))
            .with(NoticeKind::Maintenance, Some(notice(10, Some(20))));
        let kinds = |minute| notices.shown(at(minute)).iter().map(|shown| shown.kind).collect::<Vec<_>>();
        assert_eq!(kinds(5), [NoticeKind::Maintenance]);
        assert_eq!(kinds(15), NoticeKind::ALL);
        assert!(kinds(20).is_empty());
        assert!(notices.shown(at(5)).iter().all(|shown| shown.begins.is_some() && shown.ends.is_some()));
        assert!(notices.shown(at(15)).iter().all(|shown| shown.begins.is_none()));
    }

    #[test]
    fn a_message_is_short_plain_text_and_its_end_lies_ahead() {
        let made = |text: &str, from: Option<u32>, until: Option<u32>| {
            Notice::new(text, (from.map(at), until.map(at)), "x", at(10)).map(|notice| notice.message)
        };
        assert_eq!(made(" <b>two\nlines</b> ", None, None), Ok("<b>two\nlines</b>".to_owned()));
        assert_eq!(made("as forms\r\nsend\tit", None, None), Ok("as forms\nsend it".to_owned()));
        assert_eq!(made("a\rb", None, None), Err(NoticeError::ControlCharacter));
        assert_eq!(made(" \n", None, None), Err(NoticeError::Empty));
        assert_eq!(made("a\u{1b}[31m", None, None), Err(NoticeError::ControlCharacter));
        assert_eq!(made(&"é".repeat(LONGEST), None, None).map(|text| text.chars().count()), Ok(LONGEST));
        assert_eq!(made(&"é".repeat(LONGEST + 1), None, None), Err(NoticeError::TooLong));
        for (from, until) in [(None, 10), (Some(20), 20), (Some(20), 15), (Some(1), 5)] {
            assert_eq!(made("x", from, Some(until)), Err(NoticeError::Times), "{from:?} {until}");
        }
    }
}
