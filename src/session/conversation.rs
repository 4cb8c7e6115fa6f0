//! What PAM modules and the person say to each other: any number of prompts and texts within bounds, one frame each.

use std::ffi::{CStr, CString};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use orrery_wire::{MessageKind, Reply};
use pam_client::ErrorCode;

use crate::channel::Channel;
use crate::pam::ConversationHandler;

/// The most prompts of one login (SEC-042): a password, a code, the new password twice, a few tries of each.
const MOST_PROMPTS: usize = 32;
/// The most texts that need no answer; those beyond are dropped.
const MOST_MESSAGES: usize = 64;
/// The longest answer (SEC-044): hashing much more is somebody's attack on the processor.
const LONGEST_ANSWER: usize = 1024;
/// The longest text of a module; what is longer is cut.
const LONGEST_TEXT: usize = 8 * 1024;

/// Why no further answers are to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The hub closed the channel.
    Abandoned,
    /// The deadline passed.
    TimedOut,
    /// Modules asked too often.
    TooManyPrompts,
    /// An answer was too long.
    TooLong,
    /// An answer was none.
    Malformed,
}

/// The conversation of one login.
#[derive(Debug)]
pub(crate) struct Talk<'a> {
    channel: &'a mut Channel,
    prompts: usize,
    messages: usize,
    last_answer: Instant,
    ended: Option<Ended>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(channel: &'a mut Channel) -> Self {
        Self { channel, prompts: 0, messages: 0, last_answer: Instant::now(), ended: None }
    }

    /// Why there are no further answers.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// How long ago the last answer came, or the conversation began.
    pub(crate) fn since_last_answer(&self) -> Duration {
        self.last_answer.elapsed()
    }

    /// Asks for a password that nobody looks at, if nothing was asked: some modules say no to a name without a question,
    /// and the question is what everybody else gets (SEC-043).
    pub(crate) fn ask_in_vain(&mut self) {
        if self.prompts == 0 {
            let _ = self.ask(c"Password: ", false);
        }
    }

    fn ask(&mut self, text: &CStr, echo: bool) -> Result<CString, ErrorCode> {
        if self.ended.is_none() && self.prompts >= MOST_PROMPTS {
            self.ended = Some(Ended::TooManyPrompts);
        }
        self.prompts = self.prompts.saturating_add(1);
        if self.ended.is_some() {
            return Err(ErrorCode::CONV_ERR);
        }
        self.exchange(text, echo).map_err(|why| {
            self.ended = Some(why);
            ErrorCode::CONV_ERR
        })
    }

    fn exchange(&mut self, text: &CStr, echo: bool) -> Result<CString, Ended> {
        let prompt = Reply::Prompt { echo, text: readable(text) };
        self.channel.send(&prompt).map_err(|_| Ended::Abandoned)?;
        let answer = self.channel.answer().map_err(|error| match error.kind() {
            ErrorKind::TimedOut => Ended::TimedOut,
            ErrorKind::InvalidData => Ended::Malformed,
            _ => Ended::Abandoned,
        })?;
        self.last_answer = Instant::now();
        if answer.0.len() > LONGEST_ANSWER {
            return Err(Ended::TooLong);
        }
        CString::new(answer.0).map_err(|_| Ended::Malformed)
    }

    fn tell(&mut self, kind: MessageKind, text: &CStr) {
        self.messages = self.messages.saturating_add(1);
        if self.messages > MOST_MESSAGES || self.ended.is_some() {
            return;
        }
        if self.channel.send(&Reply::Message { kind, text: readable(text) }).is_err() {
            self.ended = Some(Ended::Abandoned);
        }
    }
}

/// A module's text, cut where it is too long.
fn readable(text: &CStr) -> String {
    let bytes = text.to_bytes();
    String::from_utf8_lossy(bytes.get(..LONGEST_TEXT).unwrap_or(bytes)).into_owned()
}

impl ConversationHandler for Talk<'_> {
    fn prompt_echo_on(&mut self, prompt: &CStr) -> Result<CString, ErrorCode> {
        self.ask(prompt, true)
    }

    fn prompt_echo_off(&mut self, prompt: &CStr) -> Result<CString, ErrorCode> {
        self.ask(prompt, false)
    }

    fn text_info(&mut self, text: &CStr) {
        self.tell(MessageKind::Info, text);
    }

    fn error_msg(&mut self, text: &CStr) {
        self.tell(MessageKind::Error, text);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use orrery_wire::{Answer, frame};

    use super::*;

    /// A conversation whose hub has already given these answers, and that hub.
    fn after<T>(answers: &[&[u8]], test: impl FnOnce(&mut Talk<'_>, UnixStream) -> T) -> T {
        let (ours, theirs) = UnixStream::pair().unwrap();
        for answer in answers {
            frame::write(&theirs, &Answer(answer.to_vec()).encode()).unwrap();
        }
        let mut channel = Channel::new(ours);
        channel.end_by(Instant::now() + Duration::from_secs(60));
        test(&mut Talk::new(&mut channel), theirs)
    }

    #[test]
    fn sec_051_prompts_and_texts_go_out_one_by_one_with_their_kind() {
        after(&[b"ada", b"secret"], |talk, hub| {
            assert_eq!(talk.prompt_echo_on(c"Name: ").unwrap().as_bytes(), b"ada");
            talk.text_info(c"hello");
            assert_eq!(talk.prompt_echo_off(c"Password: ").unwrap().as_bytes(), b"secret");
            talk.error_msg(c"caps?");
            let next = || Reply::decode(&frame::read(&hub).unwrap()).unwrap();
            assert_eq!(next(), Reply::Prompt { echo: true, text: "Name: ".to_owned() });
            assert_eq!(next(), Reply::Message { kind: MessageKind::Info, text: "hello".to_owned() });
            assert_eq!(next(), Reply::Prompt { echo: false, text: "Password: ".to_owned() });
            assert_eq!(next(), Reply::Message { kind: MessageKind::Error, text: "caps?".to_owned() });
            assert_eq!(talk.ended(), None);
        });
    }

    #[test]
    fn sec_042_prompts_are_cut_off_after_a_while() {
        let answers = vec![b"x".as_slice(); MOST_PROMPTS + 5];
        after(&answers, |talk, _hub| {
            let answered = (0..10_000).filter(|_| talk.prompt_echo_off(c"?").is_ok()).count();
            assert_eq!((answered, talk.ended()), (MOST_PROMPTS, Some(Ended::TooManyPrompts)));
        });
    }

    #[test]
    fn sec_044_a_long_answer_does_not_reach_pam() {
        for (length, ended) in [(LONGEST_ANSWER, None), (LONGEST_ANSWER + 1, Some(Ended::TooLong))] {
            after(&[&vec![b'x'; length]], |talk, _hub| {
                assert_eq!(talk.prompt_echo_off(c"?").is_ok(), ended.is_none());
                assert_eq!(talk.ended(), ended);
            });
        }
        after(&[b"nul\0"], |talk, _hub| {
            assert_eq!(talk.prompt_echo_off(c"?"), Err(ErrorCode::CONV_ERR));
            assert_eq!(talk.ended(), Some(Ended::Malformed));
        });
    }

    #[test]
    fn a_hub_that_goes_away_ends_it() {
        after(&[], |talk, hub| {
            drop(hub);
            assert_eq!(talk.prompt_echo_off(c"?"), Err(ErrorCode::CONV_ERR));
            assert_eq!(talk.ended(), Some(Ended::Abandoned));
        });
    }

    #[test]
    fn sec_043_a_no_without_a_question_is_not_seen() {
        after(&[b"x", b"y"], |talk, hub| {
            talk.ask_in_vain();
            talk.ask_in_vain();
            hub.set_nonblocking(true).unwrap();
            let prompt = Reply::Prompt { echo: false, text: "Password: ".to_owned() };
            assert_eq!(Reply::decode(&frame::read(&hub).unwrap()), Ok(prompt));
            assert!(frame::read(&hub).is_err());
        });
    }

    #[test]
    fn texts_are_cut_and_counted() {
        assert_eq!(readable(&CString::new(vec![b'x'; 20_000]).unwrap()).len(), LONGEST_TEXT);
        after(&[], |talk, hub| {
            (0..10_000).for_each(|_| talk.text_info(c"flood"));
            hub.set_nonblocking(true).unwrap();
            assert_eq!(std::iter::from_fn(|| frame::read(&hub).ok()).count(), MOST_MESSAGES);
        });
    }
}
