//! Which tokens deserve a look: those that expire soon, and those that nobody uses any more (UI-106).

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::tokens::Token;
use crate::web::render::pages::{TokenChoice, TokenKind};

/// The argument that narrows the list.
pub(super) const SHOW: &str = "show";

const SOON: TimeDelta = TimeDelta::days(7);
const LONG: TimeDelta = TimeDelta::days(90);

/// What is asked for; everything, if it is nothing known.
pub(super) fn asked(argument: Option<&str>) -> TokenKind {
    let known = [TokenKind::Expiring, TokenKind::Unused];
    known.into_iter().find(|kind| argument == Some(kind.as_str())).unwrap_or(TokenKind::All)
}

pub(super) fn is(token: &Token, kind: TokenKind, now: DateTime<Utc>) -> bool {
    match kind {
        TokenKind::All => true,
        TokenKind::Expiring => token.expires_at.is_some_and(|end| end - now <= SOON),
        TokenKind::Unused => now - token.last_activity.unwrap_or(token.created) >= LONG,
    }
}

/// The kinds to choose from, each with its tokens counted; none where there is nothing to narrow.
pub(super) fn choices(tokens: &[Token], shown: TokenKind, now: DateTime<Utc>) -> Vec<TokenChoice> {
    let choice = |kind| TokenChoice {
        kind,
        count: tokens.iter().filter(|token| is(token, kind, now)).count(),
        chosen: kind == shown,
    };
    let all = [TokenKind::All, TokenKind::Expiring, TokenKind::Unused].map(choice);
    let idle = shown == TokenKind::All && all.iter().skip(1).all(|choice| choice.count == 0);
    if idle { Vec::new() } else { all.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{TokenId, UserId};
    use crate::secret::Secret;
    use crate::store::tokens::{TokenOwner, TokenPurpose};

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn token(created: i64, used: Option<i64>, expires: Option<i64>) -> Token {
        Token {
            id: TokenId(1),
            hashed: Secret::default(),
            prefix: String::new(),
            owner: TokenOwner::User(UserId(1)),
            client_id: String::new(),
            client_description: String::new(),
            server_id: None,
            session_id: None,
            created: at(created),
            expires_at: expires.map(at),
            last_activity: used.map(at),
            note: String::new(),
            scopes: Vec::new(),
            purpose: TokenPurpose::User,
        }
    }

    #[test]
    fn ui_106_a_token_expires_soon_within_a_week_and_is_unused_after_three_months() {
        let now = at(100);
        for (token, expiring, unused) in [
            (token(100, None, None), false, false),
            (token(10, None, None), false, true),
            (token(11, None, None), false, false),
            (token(0, Some(11), None), false, false),
            (token(0, Some(10), Some(107)), true, true),
            (token(99, Some(99), Some(108)), false, false),
            (token(99, None, Some(101)), true, false),
        ] {
            assert_eq!(is(&token, TokenKind::Expiring, now), expiring, "{token:?}");
            assert_eq!(is(&token, TokenKind::Unused, now), unused, "{token:?}");
            assert!(is(&token, TokenKind::All, now));
        }
    }

    #[test]
    fn ui_106_there_is_a_choice_only_where_there_is_something_to_choose() {
        let fresh = [token(100, None, None)];
        assert!(choices(&fresh, TokenKind::All, at(100)).is_empty());
        let counts = |tokens: &[Token], shown| {
            let all = choices(tokens, shown, at(100));
            all.into_iter().map(|choice| (choice.count, choice.chosen)).collect::<Vec<_>>()
        };
        assert_eq!(counts(&fresh, TokenKind::Unused), [(1, false), (0, false), (0, true)]);
        let stale = [token(100, None, None), token(0, None, None)];
        assert_eq!(counts(&stale, TokenKind::All), [(2, true), (0, false), (1, false)]);
    }

    #[test]
    fn ui_106_what_is_asked_for_is_one_of_three() {
        for (argument, kind) in [
            (None, TokenKind::All),
            (Some("expiring"), TokenKind::Expiring),
            (Some("unused"), TokenKind::Unused),
            (Some("<script>"), TokenKind::All),
        ] {
            assert_eq!(asked(argument), kind);
        }
    }
}
