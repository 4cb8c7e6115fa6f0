//! Which scopes the token page offers by name: what tokens are mostly for, as far as the visitor may do it. Any other can
//! be typed.

use crate::domain::access::Resource;
use crate::domain::names::Username;
use crate::domain::scope::{Catalogue, RawScope};
use crate::web::caller::Caller;
use crate::web::oauth::authorize::describe;
use crate::web::render::pages::ScopeDescription;

/// For one's own account.
const OWN: &[&[&str]] = &[
    &["read:users"],
    &["read:servers"],
    &["servers"],
    &["access:servers"],
    &["users:activity"],
    &["read:tokens"],
    &["tokens"],
    &["shares"],
];

/// For everybody: administrators and helpers.
const ALL: &[&[&str]] = &[
    &["list:users"],
    &["read:users"],
    &["admin:users"],
    &["servers"],
    &["access:servers"],
    &["read:groups"],
    &["groups"],
    &["read:metrics"],
    &["read:hub"],
];

/// Those that the visitor holds, with what they permit in words.
pub(super) fn scopes(caller: &Caller, name: &Username, catalogue: &Catalogue) -> Vec<ScopeDescription> {
    let own = OWN.iter().filter(|any| caller.may(any, Resource::User(name.as_str())));
    let own = own.flat_map(|any| any.iter().map(|base| format!("{base}!user")));
    let all = ALL.iter().filter(|any| caller.may(any, Resource::None));
    let all = all.flat_map(|any| any.iter().map(|base| (*base).to_owned()));
    let parsed = own.chain(all).filter_map(|scope| RawScope::parse(&scope, catalogue).ok());
    parsed.map(|scope| describe(&scope, catalogue)).collect()
}
